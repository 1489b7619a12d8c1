"""Where a file of one JSON object per line goes wrong; read for it line by line, in Python."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from harness_datasets.texts.json_lines import lines
from harness_datasets.texts.layout import Columns, Layout, spellings

ONE_PER_LINE = "write one JSON object per line"
ALIKE = "write the values of a column alike: texts in quotes, numbers without"
KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number"}


def first(path: Path, layout: Layout, wanted: Sequence[Columns]) -> tuple[str, str] | None:
    """What is wrong in the first wrong line, counted from 1 in the file, and what mends it."""
    names = {name for each in wanted for name in spellings(each)}
    seen: dict[str, tuple[int, str]] = {}
    for number, line in lines(path, layout):
        found = _fault(line, names, layout) or _other_kind(number, line, names, seen)
        if found is not None:
            return f"line {number:,} {found[0]}", found[1]
    return None


def _fault(line: bytes, names: set[str], layout: Layout) -> tuple[str, str] | None:
    try:
        row = json.loads(line.decode("utf-8-sig"), object_pairs_hook=partial(_once, names))
    except UnicodeDecodeError:
        fix = "name the file's `encoding`, for example latin-1"
        return f"has bytes that are not {layout.encoding}", fix
    except json.JSONDecodeError as error:
        return f"is no JSON object: {error.msg} (column {error.colno:,})", ONE_PER_LINE
    except ValueError as error:
        return str(error), "remove one of them"
    if not isinstance(row, dict):
        return f"is {_kind(row)}, not a JSON object", ONE_PER_LINE
    for name in sorted(names & row.keys()):
        if isinstance(row[name], list | dict):
            return f"has {_kind(row[name])} in {name!r}, neither a text nor a number", ALIKE
    return None


def _once(names: set[str], pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for name in sorted(names):
        if keys.count(name) > 1:
            raise ValueError(f"has the key {name!r} twice")
    return dict(pairs)


def _other_kind(
    number: int, line: bytes, names: set[str], seen: dict[str, tuple[int, str]]
) -> tuple[str, str] | None:
    row = json.loads(line.decode("utf-8-sig"))
    for name in sorted(names & row.keys()):
        kind = _kind(row[name])
        before, known = seen.setdefault(name, (number, kind)) if kind else (0, kind)
        if kind != known:
            return f"has {kind} in {name!r}, and line {before:,} {known}", ALIKE
    return None


def _kind(value: object) -> str:
    """What a value of JSON is, in words; "" for null."""
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else KINDS.get(type(value), "")
