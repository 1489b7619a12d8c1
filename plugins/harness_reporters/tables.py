"""The reporters `json` (all findings) and `csv` (one file per table)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from harness.api.findings import Findings
from harness.api.offers import Reporter
from harness.api.readings import Record
from harness.api.settings import NoSettings
from harness_reporters.files import write_whole


def write_json(_settings: NoSettings, findings: Findings, folder: Path) -> list[Path]:
    """Write `report.json`; NaN and infinities stand as NaN, Infinity and -Infinity."""
    text = findings.model_dump_json(indent=1)
    return [write_whole(folder / "report.json", text + "\n")]


def write_csv(_settings: NoSettings, findings: Findings, folder: Path) -> list[Path]:
    """Write one file per table of the findings, each row with the suite and whether it is a trial.

    Empty tables have no file.
    """
    tables: dict[str, Sequence[Record]] = {
        "scores.csv": findings.runs,
        "spreads.csv": findings.spreads,
        "variance.csv": findings.variance,
        "pairs.csv": findings.pairs,
        "points.csv": findings.points,
        "problems.csv": findings.problems,
        "predictors.csv": findings.predictors,
        "ladder.csv": findings.ladder,
        "mantel.csv": findings.mantel,
        "lines.csv": findings.lines,
    }
    return [
        write_whole(folder / name, _csv(findings, records))
        for name, records in tables.items()
        if records
    ]


def _csv(findings: Findings, records: Sequence[Record]) -> str:
    out = io.StringIO()
    columns = list(type(records[0]).model_fields)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*columns, "suite", "smoke"])
    for record in records:
        values = record.model_dump(mode="python")
        cells = [_cell(values[column]) for column in columns]
        writer.writerow([*cells, findings.suite, findings.smoke])
    return out.getvalue()


def _cell(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, tuple) else value


JSON = Reporter(
    name="json", about="All findings as one typed, versioned JSON file.", write=write_json
)
CSV = Reporter(name="csv", about="The tables of the findings, one CSV file each.", write=write_csv)
