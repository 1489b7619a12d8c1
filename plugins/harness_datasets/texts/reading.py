"""Columns of text out of csv, tsv, jsonl and parquet files, without a Python object per row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness_datasets.files import located
from harness_datasets.texts import json_lines, separated
from harness_datasets.texts.layout import TOO_LONG, Columns, Layout, kind_of

if TYPE_CHECKING:
    import pyarrow as pa


def read_columns(path: Path, layout: Layout, wanted: Sequence[Columns]) -> pa.Table:
    """The wanted columns, in order, called "0", "1", ...: text, or float64 if they are floats.

    Raises:
        HarnessError: no such file or column, bytes of another encoding, rows of another length.
    """
    import pyarrow as pa

    path = located(path)
    kind = kind_of(path, layout)
    names, read = {
        "jsonl": (json_lines.names, json_lines.read),
        "parquet": (_names_of_parquet, _read_parquet),
    }.get(kind, (separated.names, separated.read))
    try:
        known = names(path, layout, wanted)
        headed = layout.header or kind in ("jsonl", "parquet")
        chosen = [_chosen(each, known, headed, path) for each in wanted]
        table = read(path, layout, list(dict.fromkeys(chosen)))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(error, path, layout) from error
    return renamed(table, chosen, str(path))


def renamed(table: pa.Table, chosen: Sequence[str], where: str) -> pa.Table:
    """The chosen columns as text, or float64 if they are floats, called "0", "1", ..."""
    import pyarrow as pa

    if not table.num_rows:
        raise HarnessError("the file has no rows", where=where)
    columns = [_readable(table[name], name, where) for name in chosen]
    return pa.table({str(place): column for place, column in enumerate(columns)})


def spelled(wanted: Columns, names: Sequence[str], where: str) -> str:
    """The name of a wanted column among those that there are."""
    spellings = wanted if isinstance(wanted, tuple) else (wanted,)
    found = [str(name) for name in spellings if name in names]
    if not found:
        asked = " or ".join(repr(name) for name in spellings)
        known = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise HarnessError(f"no column {asked}, only {known[:400]}", where=where)
    return found[0]


def _chosen(wanted: Columns, names: list[str], headed: bool, path: Path) -> str:
    where = str(path)
    if headed:
        name = spelled(wanted, names, where)
        if names.count(name) > 1:
            raise HarnessError(f"two columns are called {name!r}", where=where)
        return name
    if isinstance(wanted, str) and wanted.isdecimal():
        wanted = int(wanted)  # as --set and quoted YAML write it
    if not isinstance(wanted, int):
        fix = "name columns by their number, counted from 1"
        raise HarnessError(f"no column {wanted!r}: it has no header", where=where, fix=fix)
    if not 1 <= wanted <= len(names):
        raise HarnessError(f"no column {wanted}, only 1 to {len(names)}", where=where)
    return names[wanted - 1]


def _unreadable(error: Exception, path: Path, layout: Layout) -> HarnessError:
    told = str(error).splitlines()[0] if str(error) else type(error).__name__
    fix = None
    if isinstance(error, UnicodeError) or "invalid UTF8" in told:
        told = f"these bytes are not {layout.encoding}"
        fix = "name the file's `encoding`, for example latin-1"
    elif "straddl" in told:
        told = TOO_LONG
        if separated.quoted(path, layout):
            fix = "a quote that is never closed makes a row of all that follows"
    elif "Expected" in told and "columns" in told:
        told = told.removeprefix("CSV parse error: ")[:200]
        fix = "set `separator` and `quoting` as the file has them, or `ragged: drop`"
    return HarnessError(f"cannot read this file: {told}", where=str(path), fix=fix)


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
        raise HarnessError(message, where=where)
    return column.cast(pa.string())
