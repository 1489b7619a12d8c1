"""Tables in csv, tsv, jsonl and parquet files, read by pyarrow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness_datasets.files import ADD, AGAIN, EMPTY, NO_ROWS, located_file

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Array = np.ndarray[Any, np.dtype[Any]]

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")


def read_table(path: Path) -> pa.Table:
    """The table in a file, by its suffix (also with `.gz`); `HarnessError` if it has no rows."""
    import pyarrow as pa
    from pyarrow import csv, json, parquet

    path = located_file(path)
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix in SUFFIXES and not path.stat().st_size:
        raise HarnessError(EMPTY, where=str(path), fix=AGAIN)
    try:
        if suffix == ".csv":
            table = csv.read_csv(path)
        elif suffix == ".tsv":
            table = csv.read_csv(path, parse_options=csv.ParseOptions(delimiter="\t"))
        elif suffix == ".jsonl":
            table = json.read_json(path)
        elif suffix == ".parquet":
            table = parquet.read_table(path)
        else:
            raise HarnessError(
                f"unknown kind of file {suffix!r}" if suffix else "its name has no suffix",
                where=str(path),
                fix=f"use {', '.join(SUFFIXES)}",
            )
    except (pa.ArrowException, OSError) as error:
        told = re.sub(r"(?<=in row )\d+", lambda row: str(int(row[0]) + 1), str(error))
        fix = "correct it, or write it again"
        raise HarnessError(f"cannot read this table: {told}", where=str(path), fix=fix) from error
    if not table.num_rows:
        raise HarnessError(NO_ROWS, where=str(path), fix=ADD)
    if len(set(table.column_names)) < table.num_columns:
        fix = "give one of them another name in the file"
        raise HarnessError("two columns have the same name", where=str(path), fix=fix)
    return table


def column(table: pa.Table, name: str, where: str) -> pa.ChunkedArray:
    """A column without gaps."""
    if name not in table.column_names:
        fix = "csv is separated by commas and tsv by tabs" if table.num_columns == 1 else None
        message = f"no column {name!r}, only {', '.join(table.column_names)}"
        raise HarnessError(message, where=where, fix=fix)
    found = table[name]
    if found.null_count:
        raise HarnessError(
            f"the column {name!r} has {found.null_count:,} empty cells",
            where=where,
            fix="fill them or drop those rows",
        )
    return found


def must_be_numbers(table: pa.Table, names: list[str], where: str) -> None:
    """Raise `HarnessError` for the first of the columns that does not hold numbers."""
    import pyarrow as pa

    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    for name in names:
        kind = column(table, name, where).type
        if not any(test(kind) for test in tests):
            raise HarnessError(
                f"the column {name!r} holds {kind}, not numbers",
                where=where,
                fix="name the columns to use as `features`",
            )


def numbers(table: pa.Table, names: list[str], where: str) -> Array:
    """Columns of finite numbers as float32 [rows, columns]."""
    import numpy as np

    must_be_numbers(table, names, where)
    found = []
    for name in names:
        found.append(column(table, name, where).to_numpy().astype(np.float64))
        if not np.isfinite(found[-1]).all():
            raise HarnessError(f"the column {name!r} holds values that are not finite", where=where)
    return np.stack(found, axis=1).astype(np.float32)


def text_or_numbers(table: pa.Table, name: str, where: str) -> Array:
    """A column of labels."""
    import numpy as np

    return np.asarray(column(table, name, where).to_numpy(zero_copy_only=False))
