"""The reporter `latex`: booktabs tables, one file each, ready to be put into a paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.api.findings import Findings
from harness.api.latex import latex_text
from harness.api.numbers import TRIAL, some
from harness.api.offers import Reporter
from harness.api.settings import NoSettings
from harness_reporters.comparison_tables import comparison_tables
from harness_reporters.files import write_whole
from harness_reporters.page import Table, metric_tables, share_table, spread_tables
from harness_reporters.predictor_tables import predictor_tables
from harness_reporters.standing_tables import standing_tables

FOLDER = "latex"
LONG = 40
"""A table of more rows goes over pages."""
HEAD = r"""\documentclass[a4paper]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{textcomp,booktabs,longtable,graphicx}
\usepackage[margin=2cm]{geometry}
\begin{document}
"""


def write(_settings: NoSettings, findings: Findings, folder: Path) -> list[Path]:
    """Write `latex/NN-TABLE.tex`, and `latex/all.tex` that shows them all."""
    place = folder / FOLDER
    tables = [table for table in tables_of(findings) if table.rows]
    files = {
        f"{number:02d}-{_slug(table.title)}.tex": table for number, table in enumerate(tables, 1)
    }
    mark = TRIAL.strip() if findings.smoke else ""
    paths = [write_whole(place / name, latex_table(t, name, mark)) for name, t in files.items()]
    inputs = "".join(rf"\input{{{name.removesuffix('.tex')}}}" + "\n" for name in files)
    for old in set(place.glob("[0-9][0-9]-*.tex")) - set(paths):
        old.unlink()
    title = latex_text(findings.title or findings.suite)
    suite = latex_text(f"{findings.suite} {findings.version}")
    whole = f"{HEAD}\\section*{{{title}}}\nSuite {suite}.\n{inputs}\\end{{document}}\n"
    return [write_whole(place / "all.tex", whole), *paths]


def tables_of(findings: Findings) -> Iterator[Table]:
    """Scores, comparisons, variance shares, metrics, predictors, the ladder."""
    yield from spread_tables(findings)
    yield from comparison_tables(findings)
    yield share_table(findings)
    yield from standing_tables(findings)
    yield from metric_tables(findings).values()
    yield from predictor_tables(findings)


def latex_table(table: Table, name: str, mark: str = "") -> str:
    """The table with its caption and label, never wider than the text.

    Needs the packages booktabs and graphicx, and longtable for more than `LONG` rows. `mark` stands
    before the caption.
    """
    label = "tab:" + re.sub(r"^\d+-|\.tex$", "", name)
    caption = rf"\textbf{{{latex_text(mark)}}} " if mark else ""
    caption = rf"\caption{{{caption}{latex_text(table.title)}}}\label{{{label}}}"
    sides = "".join("l" if place < table.texts else "r" for place in range(len(table.columns)))
    head = [r"\toprule", _row(table.columns), r"\midrule"]
    body, notes = list(_body(table)), list(_notes(table))
    if len(table.rows) > LONG:
        begin = [r"\begingroup\tiny", rf"\begin{{longtable}}{{{sides}}}", caption + r" \\"]
        end = [r"\bottomrule", r"\end{longtable}", *notes, r"\endgroup"]
        return "\n".join([*begin, *head, r"\endhead", *body, *end]) + "\n"
    fit = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    begin = [r"\begin{table}[htbp]", r"\centering", caption, fit, rf"\begin{{tabular}}{{{sides}}}"]
    end = [r"\bottomrule", r"\end{tabular}}", *notes, r"\end{table}"]
    return "\n".join([*begin, *head, *body, *end]) + "\n"


def _body(table: Table) -> Iterator[str]:
    for place, row in enumerate(table.rows):
        if row.head is not None and place and row.span > 1:
            yield r"\addlinespace"
        yield _row([row.head or "", *row.cells])


def _notes(table: Table) -> Iterator[str]:
    """What the rows have to say, once each, with the rows that say it."""
    notes: dict[str, list[str]] = {}
    head = ""
    for row in table.rows:
        head = head if row.head is None else row.head
        for note in filter(None, row.note.split("; ")):
            notes.setdefault(note, []).append(f"{head}, {row.cells[0]}")
    for note, rows in notes.items():
        text = f"{note[0].upper()}{note[1:]}: {some(rows, 6)}."
        yield rf"\par\smallskip{{\footnotesize {latex_text(text)}\par}}"


def _row(cells: list[str]) -> str:
    return " & ".join(latex_text(cell) for cell in cells) + r" \\"


def _slug(title: str) -> str:
    """A file's name out of a title: "Components of accuracy (...)" gives "components-of-accuracy".

    >>> _slug("Components of accuracy (95 % intervals)")
    'components-of-accuracy'
    """
    words = re.findall(r"[a-z0-9]+", title.split(" (")[0].lower())
    return "-".join(words[:6]) or "table"


LATEX = Reporter(
    name="latex",
    about="Tables for a paper, one LaTeX file each (booktabs), and a document that shows them all.",
    write=write,
)
