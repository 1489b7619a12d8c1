"""Columns out of files of one JSON object per line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness_datasets.texts.layout import BLOCK, TOO_LONG, Columns, Layout, opened, spellings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa


def names(path: Path, layout: Layout, wanted: Sequence[Columns]) -> list[str]:
    """The keys of the first objects, so many that the wanted ones are among them, or of all."""
    return list(_examples(path, layout, wanted))


def read(path: Path, layout: Layout, columns: Sequence[str]) -> pa.Table:
    """Texts are read as text and other columns left out; numbers cost a look at all columns."""
    import pyarrow as pa

    examples = _examples(path, layout, columns)
    texts = [name for name in columns if isinstance(examples[name], str)]
    try:
        return _table(path, layout, columns, texts)
    except pa.ArrowInvalid as error:
        if "changed from" not in str(error):
            raise
        return _table(path, layout, columns, [])


def _examples(path: Path, layout: Layout, wanted: Sequence[Columns]) -> dict[str, Any]:
    """Keys with their first value that is not null, of rows until all that is wanted has one."""
    found: dict[str, Any] = {}
    for row in _objects(path, layout):
        found |= {key: value for key, value in row.items() if found.get(key) is None}
        if all(_there(each, found) for each in wanted):
            break
    return found


def _there(wanted: Columns, found: dict[str, Any]) -> bool:
    return any(found.get(name) is not None for name in spellings(wanted))


def _objects(path: Path, layout: Layout) -> Iterator[dict[str, Any]]:  # values of any kind
    for number, line in lines(path, layout):
        found = json.loads(line.decode("utf-8-sig"))
        if not isinstance(found, dict):
            raise ValueError(f"line {number} is no JSON object")
        yield found


def lines(path: Path, layout: Layout) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers in the file, counted from 1."""
    before, rest = 0, b""
    with opened(path, layout) as stream:
        while block := stream.read(BLOCK):
            *whole, rest = (rest + block).split(b"\n")
            if len(rest) > BLOCK or any(len(line) > BLOCK for line in whole):
                raise ValueError(TOO_LONG)
            for number, line in enumerate(whole, start=before + 1):
                if line.strip():
                    yield number, line
            before += len(whole)
        if rest.strip():
            yield before + 1, rest


def _table(path: Path, layout: Layout, columns: Sequence[str], texts: list[str]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json as arrow_json

    parse = arrow_json.ParseOptions(
        explicit_schema=pa.schema([(name, pa.string()) for name in texts]),
        newlines_in_values=False,
        unexpected_field_behavior="ignore" if len(texts) == len(columns) else "infer",
    )
    with opened(path, layout) as stream:
        options = arrow_json.ReadOptions(block_size=BLOCK)
        table = arrow_json.read_json(stream, read_options=options, parse_options=parse)
    return table.select(list(columns))
