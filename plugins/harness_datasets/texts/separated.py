"""Columns out of csv and tsv files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness.api.numbers import count
from harness_datasets.texts.layout import BLOCK, Layout, kind_of, opened

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


def names(path: Path, layout: Layout, _wanted: object) -> list[str]:
    """The columns that the header names; f0, f1, ... where there is none."""
    from pyarrow import csv

    with csv.open_csv(path, **_options(path, layout)) as stream:
        return list(stream.schema.names)


def read(path: Path, layout: Layout, columns: Sequence[str]) -> pa.Table:
    """The columns, all as text. In a file of one column a blank line is an empty text.

    Raises:
        HarnessError: lines of a file of one column end in two ways, so that a text may be split.
    """
    import pyarrow as pa
    from pyarrow import csv

    alone = len(names(path, layout, None)) == 1
    if alone and _ends_differ(path, layout):
        raise HarnessError(
            "a carriage return without a line feed would split a text in two",
            where=str(path),
            fix="put such texts in quotes, as csv has them, or end all lines alike",
        )
    conversion = csv.ConvertOptions(
        include_columns=list(columns),
        column_types=dict.fromkeys(columns, pa.string()),
        strings_can_be_null=False,
    )
    options = _options(path, layout, blank_lines=alone)
    return csv.read_csv(path, **options, convert_options=conversion)


def ragged(path: Path, layout: Layout) -> str:
    """Which row has more or fewer columns than the first, read again for it row by row.

    Rows are counted from 1, without a header and without blank lines.
    """
    from pyarrow import csv

    found: list[Any] = []  # csv.InvalidRow: pyarrow has no types

    def keep(row: Any) -> str:
        found.append(row)
        return "skip"

    options = _options(path, layout)
    options["read_options"].use_threads = False  # only so are rows counted
    options["parse_options"].invalid_row_handler = keep
    with csv.open_csv(path, **options) as stream:
        for _ in stream:
            pass
    row = found[0]
    counted = "a row" if row.number is None else f"row {row.number - layout.header:,}"
    more = f" (and {count(len(found) - 1, 'more row')} like it)" if len(found) > 1 else ""
    text = row.text if len(row.text) <= 60 else row.text[:57] + "..."
    columns = f"{count(row.actual_columns, 'column')}, not {row.expected_columns}"
    return f"{counted} has {columns}: {text!r}{more}"


def quoted(path: Path, layout: Layout) -> bool:
    """Whether texts may stand in quotes."""
    kind = kind_of(path, layout)
    return kind != "jsonl" and (layout.quoting or ("none" if kind == "tsv" else "double")) != "none"


def _options(
    path: Path, layout: Layout, *, blank_lines: bool = False
) -> dict[str, Any]:  # pyarrow has no types
    from pyarrow import csv

    quotes = quoted(path, layout)
    return {
        "read_options": csv.ReadOptions(
            encoding=layout.encoding,
            block_size=BLOCK,
            autogenerate_column_names=not layout.header,
        ),
        "parse_options": csv.ParseOptions(
            delimiter=layout.separator or ("\t" if kind_of(path, layout) == "tsv" else ","),
            quote_char='"' if quotes else False,
            newlines_in_values=quotes,
            ignore_empty_lines=not blank_lines,
            invalid_row_handler=(lambda _: "skip") if layout.ragged == "drop" else None,
        ),
    }


def _ends_differ(path: Path, layout: Layout) -> bool:
    """Whether some lines end with a carriage return alone and others with a line feed."""
    quotes = quoted(path, layout)
    inside = feeds = returns = False
    carried = b""  # a carriage return at the end of a block
    with opened(path, layout) as stream:
        while block := stream.read(BLOCK):
            pieces = block.split(b'"') if quotes else [block]
            text = carried + b'"'.join(pieces[inside::2])  # what stands in quotes ends no line
            inside ^= len(pieces) % 2 == 0
            carried = b"\r" if text.endswith(b"\r") and not inside else b""
            feeds |= b"\n" in text
            returns |= b"\r" in text[: len(text) - len(carried)].replace(b"\r\n", b"")
            if feeds and returns:
                return True
    return feeds and carried != b""
