"""Findings as tidy tables, one per kind of record, whatever fields findings and records have.

Every field of the findings that holds records is a table, named as the field; records inside
records are tables of their own (`curves_lines`), and each of their rows has the words of the record
it stands in. A record alone inside another, and a pair of ends, are columns; what has no fixed
columns (a protocol) is a column of JSON.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin

from harness.api.findings import Findings, Provenance
from harness.api.readings import Record

Kind = Literal["text", "number", "whole", "truth", "time", "texts", "numbers", "json"]
"""What a column holds; any of its values may be None."""

KINDS: dict[object, Kind] = {str: "text", float: "number", int: "whole", bool: "truth"}
WHERE: dict[str, Kind] = {"suite": "text", "smoke": "truth"}
"""The columns that every table ends with."""


@dataclass(frozen=True)
class Tidy:
    """One table; `columns` are those of its records, and `WHERE`."""

    name: str
    columns: Mapping[str, Kind]
    rows: Sequence[Mapping[str, object]]


def tidy_tables(findings: Findings) -> Iterator[Tidy]:
    """Every table of the findings that has rows, each with the suite and whether it is a trial."""
    where = {"suite": findings.suite, "smoke": findings.smoke}
    for name, record in table_fields().items():
        held = getattr(findings, name)
        rows = [held] if isinstance(held, Record) else list(held or ())
        yield from _tables(name, record, [(row, where) for row in rows], WHERE)


def table_fields() -> dict[str, type[Record]]:
    """The fields of findings that are tables; the others say what all of it is about."""
    kinds = {name: _record(field.annotation) for name, field in Findings.model_fields.items()}
    return {n: kind for n, kind in kinds.items() if kind is not None and kind is not Provenance}


def _tables(
    name: str,
    record: type[Record],
    rows: Sequence[tuple[Record, Mapping[str, object]]],
    over: Mapping[str, Kind],
) -> Iterator[Tidy]:
    """The table of these records, with what each takes `over`, and those of records in them."""
    if not rows:
        return
    columns = _columns(record)
    made = [dict(_cells(row)) for row, _ in rows]
    more = {key: kind for key, kind in over.items() if key not in columns}
    cells = [
        row | {key: taken[key] for key in more} for row, (_, taken) in zip(made, rows, strict=True)
    ]
    yield Tidy(name, {**columns, **more}, cells)
    words: dict[str, Kind] = {key: kind for key, kind in columns.items() if kind == "text"}
    for field, inner in _inside(record).items():
        below = [
            (each, {key: row[key] for key in words} | dict(taken))
            for (outer, taken), row in zip(rows, made, strict=True)
            for each in getattr(outer, field)
        ]
        yield from _tables(f"{name}_{field}", inner, below, {**words, **over})


def _inside(record: type[Record]) -> dict[str, type[Record]]:
    """The fields that hold several records."""
    found = {name: _record(field.annotation) for name, field in record.model_fields.items()}
    several = {name: get_origin(record.model_fields[name].annotation) for name in found}
    return {
        name: inner
        for name, inner in found.items()
        if inner is not None and several[name] in (tuple, list)
    }


def _columns(record: type[Record], before: str = "") -> dict[str, Kind]:
    columns: dict[str, Kind] = {}
    inside = _inside(record)
    for name, field in record.model_fields.items():
        inner = _record(field.annotation)
        if name in inside and not before:
            continue
        if inner is not None and name not in inside:
            columns |= _columns(inner, f"{before}{name}_")
        elif _ends(field.annotation):
            columns |= {f"{before}{name}_low": "number", f"{before}{name}_high": "number"}
        else:
            columns[before + name] = _kind(field.annotation)
    return columns


def _cells(record: Record, before: str = "") -> Iterator[tuple[str, object]]:
    inside = _inside(type(record))
    for name, field in type(record).model_fields.items():
        value = getattr(record, name)
        inner = _record(field.annotation)
        if name in inside and not before:
            continue
        if inner is not None and name not in inside:
            empty: dict[str, object] = dict.fromkeys(_columns(inner, f"{before}{name}_"))
            yield from (empty if value is None else dict(_cells(value, f"{before}{name}_"))).items()
        elif _ends(field.annotation):
            low, high = (None, None) if value is None else value
            yield from ((f"{before}{name}_low", low), (f"{before}{name}_high", high))
        elif _kind(field.annotation) == "json" and value is not None:
            plain = record.model_dump(mode="json", include={name})[name]
            yield before + name, json.dumps(plain, ensure_ascii=False)
        else:
            yield before + name, list(value) if isinstance(value, tuple) else value


# `Any` below: annotations are whatever Python makes of them


def _bare(annotation: Any) -> Any:
    """The annotation without "or None"."""
    if get_origin(annotation) in (Union, types.UnionType):
        others = [each for each in get_args(annotation) if each is not type(None)]
        return others[0] if len(others) == 1 else None
    return annotation


def _record(annotation: Any) -> type[Record] | None:
    """The kind of record that is held, alone or several times."""
    bare = _bare(annotation)
    if get_origin(bare) in (tuple, list):
        bare = get_args(bare)[0]
    return bare if isinstance(bare, type) and issubclass(bare, Record) else None


def _ends(annotation: Any) -> bool:
    """Whether it is a pair of numbers, as of an interval."""
    return bool(_bare(annotation) == tuple[float, float])


def _kind(annotation: Any) -> Kind:
    bare = _bare(annotation)
    if bare in KINDS:
        return KINDS[bare]
    if bare is datetime:
        return "time"
    if get_origin(bare) is Literal:
        return "text" if all(isinstance(each, str) for each in get_args(bare)) else "json"
    if get_origin(bare) in (tuple, list):
        several: dict[object, Kind] = {str: "texts", float: "numbers"}
        return several.get(get_args(bare)[0], "json")
    return "json"
