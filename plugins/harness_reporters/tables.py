"""The reporters `json` (all findings) and `csv` (one file per table)."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from harness.api.findings import Findings
from harness.api.offers import Reporter
from harness.api.settings import NoSettings
from harness_reporters.files import write_whole
from harness_reporters.records import Tidy, tidy_tables

FOLDER = "csv"


def write_json(_settings: NoSettings, findings: Findings, folder: Path) -> list[Path]:
    """Write `report.json`; NaN and infinities stand as NaN, Infinity and -Infinity."""
    text = findings.model_dump_json(indent=1)
    return [write_whole(folder / "report.json", text + "\n")]


def write_csv(_settings: NoSettings, findings: Findings, folder: Path) -> list[Path]:
    """Write `csv/TABLE.csv` for each table that has rows; tables of before are deleted.

    Each row has the suite and whether it is a trial; lists stand in one cell, between spaces.
    """
    place = folder / FOLDER
    paths = [write_whole(place / f"{t.name}.csv", _csv(t)) for t in tidy_tables(findings)]
    for old in set(place.glob("*.csv")) - set(paths):
        old.unlink()
    return paths


def _csv(table: Tidy) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([_cell(row[column]) for column in table.columns])
    return out.getvalue()


def _cell(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list) else value


JSON = Reporter(
    name="json", about="All findings as one typed, versioned JSON file.", write=write_json
)
CSV = Reporter(name="csv", about="The tables of the findings, one CSV file each.", write=write_csv)
