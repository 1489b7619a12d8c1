"""Columns of text out of csv, tsv, jsonl and parquet files, without a Python object per row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness_datasets.files import ADD, AGAIN, EMPTY, NO_ROWS, located_file
from harness_datasets.texts import json_lines, separated
from harness_datasets.texts.faults import other_separator, unreadable
from harness_datasets.texts.layout import Columns, Layout, kind_of

if TYPE_CHECKING:
    import pyarrow as pa


def read_columns(path: Path, layout: Layout, wanted: Sequence[Columns]) -> pa.Table:
    """The wanted columns, in order, called "0", "1", ...: text, or float64 if they are floats.

    Raises:
        HarnessError: no such file or column, bytes of another encoding, rows of another length.
    """
    import pyarrow as pa

    path = located_file(path)
    kind = kind_of(path, layout)
    if not path.stat().st_size:
        raise HarnessError(EMPTY, where=str(path), fix=AGAIN)
    names, read = {
        "jsonl": (json_lines.names, json_lines.read),
        "parquet": (_names_of_parquet, _read_parquet),
    }.get(kind, (separated.names, separated.read))
    try:
        known = names(path, layout, wanted)
        headed = layout.header or kind in ("jsonl", "parquet")
        chosen = [
            _chosen(each, known, headed, path, other_separator(each, known, path, layout))
            for each in wanted
        ]
        table = read(path, layout, list(dict.fromkeys(chosen)))
        if kind in ("jsonl", "parquet"):
            table.validate(full=True)  # nobody else sees that bytes are no utf-8
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(error, path, layout, wanted) from error
    return renamed(table, chosen, str(path))


def renamed(table: pa.Table, chosen: Sequence[str], where: str) -> pa.Table:
    """The chosen columns as text, or float64 if they are floats, called "0", "1", ..."""
    import pyarrow as pa

    if not table.num_rows:
        raise HarnessError(NO_ROWS, where=where, fix=ADD)
    columns = [_readable(table[name], name, where) for name in chosen]
    return pa.table({str(place): column for place, column in enumerate(columns)})


def spelled(wanted: Columns, names: Sequence[str], where: str, fix: str | None = None) -> str:
    """The name of a wanted column among those that there are; `fix` is told where it is not."""
    spellings = wanted if isinstance(wanted, tuple) else (wanted,)
    found = [str(name) for name in spellings if name in names]
    if not names:
        raise HarnessError(EMPTY, where=where, fix=AGAIN)
    if not found:
        asked = " or ".join(repr(name) for name in spellings)
        known = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise HarnessError(f"no column {asked}, only {known[:400]}", where=where, fix=fix)
    return found[0]


def _chosen(
    wanted: Columns, names: list[str], headed: bool, path: Path, otherwise: str | None
) -> str:
    where = str(path)
    if headed:
        name = spelled(wanted, names, where, otherwise)
        if names.count(name) > 1:
            fix = "give one of them another name in the file"
            raise HarnessError(f"two columns are called {name!r}", where=where, fix=fix)
        return name
    if isinstance(wanted, str) and wanted.isdecimal():
        wanted = int(wanted)  # as --set and quoted YAML write it
    if not isinstance(wanted, int):
        fix = "name columns by their number, counted from 1"
        raise HarnessError(f"no column {wanted!r}: it has no header", where=where, fix=fix)
    if not 1 <= wanted <= len(names):
        raise HarnessError(f"no column {wanted}, only 1 to {len(names)}", where=where)
    return names[wanted - 1]


def _names_of_parquet(path: Path, _layout: Layout, _wanted: object) -> list[str]:
    import pyarrow.parquet as pq

    return list(pq.read_schema(path).names)


def _read_parquet(path: Path, _layout: Layout, names: list[str]) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path, columns=names, memory_map=True)


def _readable(column: pa.ChunkedArray, name: str, where: str) -> pa.ChunkedArray:
    """Text, or float64 of numbers that may have decimals; what is neither is an error."""
    import pyarrow as pa

    kind, is_a = column.type, pa.types
    if is_a.is_string(kind) or is_a.is_float64(kind):
        return column
    if is_a.is_floating(kind) or is_a.is_decimal(kind):
        return column.cast(pa.float64())
    integers = is_a.is_integer(kind) or is_a.is_boolean(kind)
    texts = is_a.is_large_string(kind) or is_a.is_dictionary(kind)
    if not (integers or texts or is_a.is_null(kind)):
        message = f"the column {name!r} holds {kind}, neither text nor numbers"
        fix = "name another column, or write it as text or numbers"
        raise HarnessError(message, where=where, fix=fix)
    return column.cast(pa.string())
