"""The reporter `markdown`: answers and tables for a README, an issue or a paper's appendix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.api.findings import Findings
from harness.api.offers import Reporter
from harness.api.settings import NoSettings
from harness_reporters.comparison_tables import comparison_tables
from harness_reporters.files import write_whole
from harness_reporters.page import (
    Table,
    facts,
    metric_tables,
    share_table,
    spread_tables,
    troubles,
)
from harness_reporters.predictor_tables import predictor_tables
from harness_reporters.standing_tables import standing_tables

MARKS = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def write(_settings: NoSettings, findings: Findings, folder: Path) -> list[Path]:
    """Write `report.md`."""
    return [write_whole(folder / "report.md", "\n".join(_lines(findings)) + "\n")]


def text(words: str) -> str:
    r"""Words from outside, on one line, with the marks of Markdown and HTML disarmed.

    >>> print(text("a <b> & *c*"))
    a \<b\> \& \*c\*
    """
    return MARKS.sub(r"\\\1", " ".join(words.split()))


def _lines(findings: Findings) -> Iterator[str]:
    yield f"# {text(findings.title or findings.suite)}"
    yield f"\nSuite {text(findings.suite)} {text(findings.version)}."
    if findings.smoke:
        yield "\n**Trial run: these numbers mean nothing.**"
    if findings.headline:
        yield f"\n{text(findings.headline)}"
    yield "\n## Answers\n"
    for answer in findings.answers:
        yield f"- **{text(answer.question)}** {text(answer.text)}"
    if findings.warnings:
        yield "\n## Before you believe it\n"
        yield from (f"- {text(warning)}" for warning in findings.warnings)
    yield "\n## Scores\n"
    yield "sd over runs (n - 1); n of planned; seeds as pretraining/fine-tuning seed."
    for table in (*spread_tables(findings), *comparison_tables(findings), share_table(findings)):
        yield from _table(table)
    for table in standing_tables(findings):
        yield from _table(table)
    for table in metric_tables(findings).values():
        yield from _table(table)
    for table in predictor_tables(findings):
        yield from _table(table)
    if findings.problems:
        yield "\n## Cells without a usable result\n"
        for one in troubles(findings):
            yield f"- {one.state}: {one.what}, {text(one.reason)} ({text(one.cells)})"
    yield "\n## Where the numbers come from\n"
    yield from (f"- {word}: {text(told)}" for word, told in facts(findings))
    yield from (f"- cite: {text(cited)}" for cited in findings.provenance.citations)


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    sides = ["---" if place < table.texts else "--:" for place in range(len(table.columns))]
    yield f"\n### {text(table.title)}\n"
    yield f"| {' | '.join(map(text, table.columns))} |"
    yield f"| {' | '.join(sides)} |"
    head = ""
    notes: dict[str, list[str]] = {}
    for row in table.rows:
        head = head if row.head is None else row.head
        yield f"| {' | '.join(map(text, (head, *row.cells)))} |"
        if row.note:
            notes.setdefault(row.note, []).append(f"{head}, {row.cells[0]}")
    yield ""
    yield from (f"- {text(note)} ({text('; '.join(rows))})" for note, rows in notes.items())


MARKDOWN = Reporter(name="markdown", about="Answers and tables in one Markdown file.", write=write)
