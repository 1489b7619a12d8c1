"""Is what a dataset loads made of the right things? Each wrong one is told with what to give."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from torch import Tensor

from harness.api.data import Outline, Split, Splits
from harness.api.errors import HarnessError
from harness.api.texts import Texts

TARGETS = "give a tensor, int64 [n] (float32 [n] in regression)"
TEXTS = "give `Texts({FIELD: column})`"
COLUMN = "give `pyarrow.chunked_array([texts], pyarrow.string())`"


def check_types(where: str, outline: Outline, splits: object) -> None:
    """Raise `HarnessError` for the first thing of another type than the contract has."""
    if not isinstance(splits, Splits):
        fix = "return `Splits(train, id={...}, ood={...})`"
        raise _wrong("its load gives", splits, "Splits", where, fix)
    for which, found in {"id": splits.id, "ood": splits.ood}.items():
        if not isinstance(found, Mapping):
            fix = "give `{name: Split(...)}`"
            raise _wrong(f"its `{which}` is", found, "splits by name", where, fix)
    for name, split in {"train": splits.train, **splits.id, **splits.ood}.items():
        _check_split(f"{where}, split {name!r}", outline, split)


def _check_split(where: str, outline: Outline, split: object) -> None:
    if not isinstance(split, Split):
        raise _wrong("it is", split, "a Split", where, "give `Split({input: values}, targets)`")
    if not isinstance(split.targets, Tensor):
        raise _wrong("its targets are", split.targets, "a tensor", where, TARGETS)
    if not isinstance(split.groups, Tensor | None):
        fix = "give a tensor, int64 [n], or None"
        raise _wrong("its groups are", split.groups, "a tensor", where, fix)
    if not isinstance(split.inputs, Mapping):
        fix = "give `{input: values}`"
        raise _wrong("its inputs are", split.inputs, "values by name", where, fix)
    for name, values in split.inputs.items():
        spec = outline.inputs.get(name)  # an input that nobody promised is told elsewhere
        if spec is not None and spec.kind == "text":
            _check_texts(where, name, values)
        elif not isinstance(values, Tensor | Texts):
            raise _wrong(f"its input {name!r} is", values, "a tensor", where, "give a CPU tensor")


def _check_texts(where: str, name: str, values: object) -> None:
    if not isinstance(values, Texts):
        raise _wrong(f"its input {name!r} is", values, "Texts", where, TEXTS)
    if not isinstance(values.columns, Mapping):
        what = f"the columns of its input {name!r} are"
        raise _wrong(what, values.columns, "columns by field", where, TEXTS)
    for field, column in values.columns.items():
        what = f"the field {field!r} of its input {name!r} is"
        if not isinstance(column, pa.ChunkedArray):
            raise _wrong(what, column, "a chunked Arrow column", where, COLUMN)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            message = f"{what} a column of {column.type}, not of strings"
            raise HarnessError(message, where=where, fix=COLUMN)


def _wrong(what: str, given: object, wanted: str, where: str, fix: str) -> HarnessError:
    kind = type(given).__name__
    article = "an" if kind[:1].lower() in "aeiou" or kind == "ndarray" else "a"
    return HarnessError(f"{what} {article} {kind}, not {wanted}", where=where, fix=fix)
