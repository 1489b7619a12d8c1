"""Columns out of files of one JSON object per line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness_datasets.texts.layout import BLOCK, TOO_LONG, Columns, Layout, opened

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
    spellings = wanted if isinstance(wanted, tuple) else (str(wanted),)
    return any(found.get(name) is not None for name in spellings)


def _objects(path: Path, layout: Layout) -> Iterator[dict[str, Any]]:  # values of any kind
    with opened(path, layout) as stream:
        rest = b""
        while block := stream.read(BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > BLOCK or any(len(line) > BLOCK for line in lines):
                raise ValueError(TOO_LONG)
            yield from (_object(line, path) for line in lines if line.strip())
        if rest.strip():
            yield _object(rest, path)


def _object(line: bytes, path: Path) -> dict[str, Any]:
    found = json.loads(line.decode("utf-8-sig"))
    if not isinstance(found, dict):
        raise HarnessError("its lines are no JSON objects", where=str(path))
    return found


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
