"""Columns of text out of csv, tsv, jsonl and parquet files, without a Python object per row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.api.errors import HarnessError
from harness_datasets.files import located
from harness_datasets.tabular import SUFFIXES

if TYPE_CHECKING:
    import pyarrow as pa

Column = str | int
"""A column by its name, or in a file without a header by its number, counted from 1."""

BLOCK = 32 * 1024**2  # bytes read at a time: no row may be longer


@dataclass(frozen=True)
class Layout:
    """How the rows of a file are written; "" and None mean: as the file's suffix says.

    csv is separated by commas and quoted, tsv is separated by tabs and not quoted. `ragged` says
    what happens to rows with another number of columns than the first.
    """

    format: Literal["", "csv", "tsv", "jsonl", "parquet"] = ""
    separator: str = ""
    quoting: Literal["", "double", "none"] = ""
    header: bool = True
    encoding: str = "utf-8"
    ragged: Literal["refuse", "drop"] = "refuse"


def read_columns(path: Path, layout: Layout, wanted: Sequence[Column]) -> pa.Table:
    """The wanted columns, in order and called "0", "1", ...; whatever they hold, as text.

    Raises:
        HarnessError: no such file or column, bytes of another encoding, rows of another length.
    """
    import pyarrow as pa

    path = located(path)
    kind = layout.format or _kind(path)
    read = {"jsonl": _read_jsonl, "parquet": _read_parquet}.get(kind, _read_separated)
    try:
        table = read(path, layout, list(dict.fromkeys(wanted)))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(error, path, layout) from error
    if not table.num_rows:
        raise HarnessError("the file has no rows", where=str(path))
    columns = [_as_text(table[str(name)], name, path) for name in wanted]
    return pa.table({str(place): column for place, column in enumerate(columns)})


def _kind(path: Path) -> str:
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in SUFFIXES:
        fix = "say what it is: `format: tsv`"
        raise HarnessError(f"unknown kind of file {suffix!r}", where=str(path), fix=fix)
    return suffix.removeprefix(".")


def _unreadable(error: Exception, path: Path, layout: Layout) -> HarnessError:
    told = str(error).splitlines()[0] if str(error) else type(error).__name__
    fix = None
    if isinstance(error, UnicodeError) or "invalid UTF8" in told:
        told = f"these bytes are not {layout.encoding}"
        fix = "name the file's `encoding`, for example latin-1"
    elif "Expected" in told and "columns" in told:
        told = told.removeprefix("CSV parse error: ")[:200]
        fix = "set `separator` and `quoting` as the file has them, or `ragged: drop`"
    return HarnessError(f"cannot read this file: {told}", where=str(path), fix=fix)


def _read_separated(path: Path, layout: Layout, wanted: list[Column]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    is_tsv = (layout.format or _kind(path)) == "tsv"
    quoted = (layout.quoting or ("none" if is_tsv else "double")) == "double"
    options = {
        "read_options": csv.ReadOptions(
            encoding=layout.encoding,
            block_size=BLOCK,
            autogenerate_column_names=not layout.header,
        ),
        "parse_options": csv.ParseOptions(
            delimiter=layout.separator or ("\t" if is_tsv else ","),
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
            invalid_row_handler=(lambda _: "skip") if layout.ragged == "drop" else None,
        ),
    }
    with csv.open_csv(path, **options) as opened:
        names = opened.schema.names
    chosen = [_named(name, names, layout, path) for name in wanted]
    table = csv.read_csv(
        path,
        **options,
        convert_options=csv.ConvertOptions(
            include_columns=chosen,
            column_types={name: pa.string() for name in chosen},
            strings_can_be_null=False,
        ),
    )
    return table.rename_columns([str(name) for name in wanted])


def _named(name: Column, names: list[str], layout: Layout, path: Path) -> str:
    if not layout.header:
        if isinstance(name, str):
            fix = "name columns by their number, counted from 1"
            raise HarnessError(f"no column {name!r}: it has no header", where=str(path), fix=fix)
        if not 1 <= name <= len(names):
            raise HarnessError(f"no column {name}, only 1 to {len(names)}", where=str(path))
        return names[name - 1]
    _must_have(name, names, path)
    if names.count(str(name)) > 1:
        raise HarnessError(f"two columns are called {name!r}", where=str(path))
    return str(name)


def _must_have(name: Column, names: Sequence[str], path: Path) -> None:
    if name not in names:
        known = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise HarnessError(f"no column {name!r}, only {known[:400]}", where=str(path))


def _read_parquet(path: Path, _layout: Layout, wanted: list[Column]) -> pa.Table:
    import pyarrow.parquet as pq

    names = pq.read_schema(path).names
    for name in wanted:
        _must_have(name, names, path)
    return pq.read_table(path, columns=wanted, memory_map=True)


def _read_jsonl(path: Path, layout: Layout, wanted: list[Column]) -> pa.Table:
    """Texts are read as text; labels may be numbers, which costs another pass."""
    import pyarrow as pa

    with _opened(path, layout) as stream:
        first = stream.read(BLOCK).split(b"\n", 1)[0]
    known = json.loads(first or b"{}")
    if not isinstance(known, dict):
        raise HarnessError("its lines are no JSON objects", where=str(path))
    for name in wanted:
        _must_have(name, list(known), path)
    kinds = {str(name): _arrow_kind(known[str(name)]) for name in wanted}
    try:
        return _json_table(path, layout, kinds)
    except pa.ArrowInvalid as error:
        if "changed from" not in str(error):
            raise
        return _json_table(path, layout, dict.fromkeys(kinds, None))


def _arrow_kind(value: object) -> pa.DataType | None:
    import pyarrow as pa

    return pa.string() if isinstance(value, str) else None


def _json_table(path: Path, layout: Layout, kinds: dict[str, pa.DataType | None]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json as arrow_json

    given = pa.schema([(name, kind) for name, kind in kinds.items() if kind is not None])
    parse = arrow_json.ParseOptions(
        explicit_schema=given,
        newlines_in_values=False,
        unexpected_field_behavior="ignore" if len(given) == len(kinds) else "infer",
    )
    with _opened(path, layout) as stream:
        options = arrow_json.ReadOptions(block_size=BLOCK)
        table = arrow_json.read_json(stream, read_options=options, parse_options=parse)
    return table.select(list(kinds))


def _opened(path: Path, layout: Layout) -> Any:  # a stream of pyarrow, which has no types
    import pyarrow as pa

    stream = pa.input_stream(path, compression="detect")
    if layout.encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return stream
    return pa.transcoding_input_stream(stream, layout.encoding, "utf-8")


def _as_text(column: pa.ChunkedArray, name: Column, path: Path) -> pa.ChunkedArray:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_string(kind):
        return column
    integers = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    texts = pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)
    if not (integers or texts or pa.types.is_null(kind)):
        message = f"the column {name!r} holds {kind}, not text or whole numbers"
        raise HarnessError(message, where=str(path))
    return column.cast(pa.string())
