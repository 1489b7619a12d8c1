"""The reporter `parquet`: a folder of tidy tables that pandas opens with one call each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.api.findings import Findings
from harness.api.offers import Reporter
from harness.api.settings import NoSettings
from harness_reporters.records import Kind, Tidy, table_fields, tidy_tables

if TYPE_CHECKING:
    import pyarrow

FOLDER = "parquet"
HEAD = b"seedscape"
"""The key of the file's metadata that says which findings these are, as JSON."""


def write(_settings: NoSettings, findings: Findings, folder: Path) -> list[Path]:
    """Write `parquet/TABLE.parquet` for each table that has rows; tables of before are deleted."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    head = _head(findings)
    paths = [_write(table, place, head) for table in tidy_tables(findings)]
    for old in set(place.glob("*.parquet")) - set(paths):
        old.unlink()
    return paths


def _head(findings: Findings) -> bytes:
    """What the tables do not say: schema, suite, primary score and splits, provenance."""
    return findings.model_dump_json(exclude=set(table_fields())).encode()


def _write(table: Tidy, folder: Path, head: bytes) -> Path:
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([(name, _type(kind)) for name, kind in table.columns.items()])
    rows = pyarrow.Table.from_pylist(list(table.rows), schema=schema)
    path = folder / f"{table.name}.parquet"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pyarrow.parquet.write_table(rows.replace_schema_metadata({HEAD: head}), temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _type(kind: Kind) -> pyarrow.DataType:
    import pyarrow

    types = {
        "text": pyarrow.string(),
        "number": pyarrow.float64(),
        "whole": pyarrow.int64(),
        "truth": pyarrow.bool_(),
        "time": pyarrow.timestamp("us", tz="UTC"),
        "texts": pyarrow.list_(pyarrow.string()),
        "numbers": pyarrow.list_(pyarrow.float64()),
        "json": pyarrow.string(),
    }
    return types[kind]


PARQUET = Reporter(
    name="parquet",
    about="The tables of the findings, one Parquet file each, with their provenance.",
    write=write,
)
