"""From columns as they stand in a file to texts, labels and groups that count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness.api.numbers import count
from harness_datasets.texts.corpus import Corpus, Piece, Rules

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Array = np.ndarray[Any, np.dtype[Any]]


NUMBERS = "name a column of numbers as `number`, or correct such rows"


@dataclass(frozen=True)
class Rows:
    """The rows of a split that count: the fields, "label" or "number" and "group" if any, "row".

    "row" is the number of each in its file, counted from 1. `written` are labels as they stand
    there, before `labels` made classes of them.
    """

    table: pa.Table
    where: str
    written: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)

    def distinct(self, column: str) -> list[str]:
        """The distinct values of a column; there are few of them."""
        return [str(value) for value in self.table[column].unique().to_pylist()]

    def must_know(self, column: str, known: Sequence[str]) -> None:
        """Raise `HarnessError` for the first row with a label that the training rows have not."""
        import pyarrow as pa
        import pyarrow.compute as pc

        values = self.table[column]
        strange = self.table.filter(
            pc.invert(pc.is_in(values, value_set=pa.array(known, pa.string())))
        )
        if strange.num_rows:
            fault = f"the unknown label {_short(strange[column][0])}"
            told = _of_row(strange, fault, self.where)
            message = f"{told.message}; the training rows know {', '.join(known[:20])}"
            fix = "map labels to classes with `labels`"
            raise HarnessError(message, where=self.where, fix=fix)

    def places(self, column: str, known: Sequence[str]) -> Array:
        """The place of each row's value among the known ones, int64 [n]; others are an error."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pc.index_in(self.table[column], value_set=pa.array(known, pa.string()))
        return np.asarray(found.to_numpy()).astype(np.int64)


def rows_of(piece: Piece, corpus: Corpus, read: pa.Table) -> Rows:
    """The rows of a piece that count; labels are replaced by classes.

    `read` are the piece's columns: its meaning's, then those that it is picked by. All are text,
    but the number may be float64.
    """
    import pyarrow as pa

    meaning, where = piece.meaning, piece.origin.where
    names = [name for name, _ in meaning.fields]
    names += ["label"] * (meaning.label is not None) + ["group"] * (meaning.group is not None)
    names += ["number"] * (meaning.number is not None)
    picked = [f"only {place}" for place in range(len(piece.only))]
    table = read.rename_columns([*names, *picked])
    _no_decimals(table, piece)
    table = table.append_column("row", pa.array(range(1, 1 + table.num_rows), pa.int64()))
    table = _picked(table, piece)
    if meaning.group is not None:
        _no_gaps(table, "group", where)
    written: frozenset[str] = frozenset()
    if meaning.label is not None:
        plain = table["label"]
        table = _with_classes(table, corpus, where)
        written = frozenset(plain.unique().to_pylist()) if corpus.labels else written
    if meaning.number is not None:
        table = _with_numbers(table, where)
    table = _with_texts(table, [name for name, _ in meaning.fields], corpus.rules, where)
    table = table.select([*names, "row"])
    if corpus.rules.duplicates == "drop":
        table = _firsts(table)
    if not table.num_rows:
        raise HarnessError(f"no row is left for {piece.name!r}", where=where)
    return Rows(table, where, written)


def in_order(values: Sequence[str]) -> tuple[str, ...]:
    """Whole numbers in their order, others in alphabetical order, each once.

    >>> in_order(["10", "9", "9"])
    ('9', '10')
    >>> in_order(["1", "0", "-0", "01"])
    ('-0', '0', '01', '1')
    """
    found = set(values)
    if all(re.fullmatch(r"-?\d+", value) for value in found):
        return tuple(sorted(found, key=lambda value: (int(value), value)))
    return tuple(sorted(found))


def _no_decimals(table: pa.Table, piece: Piece) -> None:
    """Texts, labels and groups are not written with decimals: which digits would they have?"""
    import pyarrow as pa

    for place, (name, wanted) in enumerate(zip(table.column_names, piece.columns, strict=True)):
        if name != "number" and not pa.types.is_string(table.schema.field(place).type):
            column = " or ".join(wanted) if isinstance(wanted, tuple) else wanted
            message = f"the column {column!r} holds numbers with decimals, not text"
            fix = "name it as `number`, or write it as text"
            raise HarnessError(message, where=piece.origin.where, fix=fix)


def _picked(table: pa.Table, piece: Piece) -> pa.Table:
    import pyarrow.compute as pc

    for place, (_, value) in enumerate(piece.only):
        table = table.filter(pc.equal(table[f"only {place}"], value))
    return table


def _with_classes(table: pa.Table, corpus: Corpus, where: str) -> pa.Table:
    """Labels as the suite's classes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    _no_gaps(table, "label", where)
    if not corpus.labels:
        return table
    written = pa.array([label for label, _ in corpus.labels], pa.string())
    classes = pa.array([name for _, name in corpus.labels], pa.string())
    places = pc.index_in(table["label"], value_set=written)
    unknown = table.filter(pc.is_null(places))
    if unknown.num_rows:
        known = ", ".join(label for label, _ in corpus.labels)
        fault = f"the unknown label {_short(unknown['label'][0])}"
        raise _of_row(unknown, fault, where, f"`labels` has {known}")
    column = table.column_names.index("label")
    table = table.set_column(column, "label", classes.take(places.combine_chunks()))
    return table.filter(pc.is_valid(table["label"]))


def _with_numbers(table: pa.Table, where: str) -> pa.Table:
    """The numbers to predict, float64."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    _no_gaps(table, "number", where)
    found = pd.to_numeric(table["number"].to_pandas(), errors="coerce").to_numpy(dtype=float)
    numbers = pa.chunked_array([pa.array(found, pa.float64())])
    wrong = table.filter(pc.invert(pc.is_finite(numbers)))
    if wrong.num_rows:
        raise _of_row(wrong, f"{_short(wrong['number'][0])}, which is no number", where, NUMBERS)
    return table.set_column(table.column_names.index("number"), "number", numbers)


def _with_texts(table: pa.Table, fields: list[str], rules: Rules, where: str) -> pa.Table:
    """Texts without gaps, after the rule for empty ones."""
    import pyarrow.compute as pc

    empty = None
    for name in fields:
        text = pc.fill_null(table[name], "")
        table = table.set_column(table.column_names.index(name), name, text)
        blank = pc.equal(pc.utf8_trim_whitespace(text), "")
        empty = blank if empty is None else pc.or_(empty, blank)
    if rules.empty == "keep" or not pc.any(empty).as_py():
        return table
    if rules.empty == "drop":
        return table.filter(pc.invert(empty))
    found = table.filter(empty)
    blank = next(name for name in fields if not str(found[name][0].as_py()).strip())
    more = f" (and {found.num_rows - 1:,} more)" if found.num_rows > 1 else ""
    raise HarnessError(
        f"row {found['row'][0].as_py():,} has an empty {blank!r}{more}",
        where=where,
        fix="set `empty: drop`, or `keep` if a text may be empty",
    )


def _firsts(table: pa.Table) -> pa.Table:
    """Of equal rows the first."""
    import pyarrow as pa

    numbered = table.append_column("place", pa.array(range(table.num_rows), pa.int64()))
    names = [name for name in table.column_names if name != "row"]
    groups = numbered.group_by(names, use_threads=False)
    firsts = groups.aggregate([("place", "min")])["place_min"].combine_chunks()
    return table if len(firsts) == table.num_rows else table.take(firsts.sort())


def _no_gaps(table: pa.Table, column: str, where: str) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table[column].cast(pa.string())
    gaps = table.filter(pc.or_(pc.is_null(values), pc.equal(pc.fill_null(values, ""), "")))
    if gaps.num_rows:
        raise _of_row(gaps, f"no {column}", where, "fill it in, or leave such rows out of the file")


def _of_row(rows: pa.Table, fault: str, where: str, fix: str | None = None) -> HarnessError:
    more = f" (and {count(rows.num_rows - 1, 'more row')} like it)" if rows.num_rows > 1 else ""
    return HarnessError(f"row {rows['row'][0].as_py():,} has {fault}{more}", where=where, fix=fix)


def _short(value: Any) -> str:  # a scalar of pyarrow, which has no types
    text = str(value.as_py())
    return repr(text if len(text) <= 60 else text[:57] + "...")
