"""Does a loaded dataset agree with what it said of itself? A plugin's mistake, found early."""

from collections.abc import Mapping

import torch

from harness.api.data import InputSpec, Outline, Split, Splits
from harness.api.errors import HarnessError
from harness.api.texts import Texts
from harness.compute.loaded import check_types


def check_dataset(name: str, outline: Outline, splits: Splits, provider: str = "") -> None:
    """Raise `HarnessError` naming the dataset and who provides it where splits and outline differ.

    Types come first: whatever a plugin gives, it is one line and no error of ours.
    """
    dataset = f"dataset {name!r}" + (f" of {provider}" if provider else "")
    check_types(dataset, outline, splits)
    _check_names(dataset, "in-domain splits", set(outline.id), set(splits.id))
    _check_names(dataset, "OOD splits", set(outline.ood), set(splits.ood))
    sizes: Mapping[str, int | None] = {
        "train": outline.train,
        **outline.id,
        **{split: ood.examples for split, ood in outline.ood.items()},
    }
    for split, loaded in {"train": splits.train, **splits.id, **splits.ood}.items():
        _check_split(f"{dataset}, split {split!r}", outline, loaded, sizes[split])


def _check_names(where: str, what: str, promised: set[str], loaded: set[str]) -> None:
    if promised != loaded:
        raise HarnessError(
            f"its outline promises the {what} {sorted(promised)}, its load gives {sorted(loaded)}",
            where=where,
        )


def _check_split(where: str, outline: Outline, split: Split, size: int | None) -> None:
    _check_names(where, "inputs", set(outline.inputs), set(split.inputs))
    n = len(split.targets)
    if n == 0:
        if size == 0:  # for evaluation only: nobody trains on it
            return
        raise HarnessError("it has no examples", where=where)
    if size is not None and n != size:
        raise HarnessError(f"its outline promises {size} examples, its load gives {n}", where=where)
    kind = torch.float32 if outline.task.kind == "regression" else torch.int64
    if split.targets.dtype != kind or split.targets.ndim != 1:
        name = str(kind).removeprefix("torch.")
        raise HarnessError(f"its targets must be {name} [n]", where=where)
    for name, spec in outline.inputs.items():
        values = split.inputs[name]
        if isinstance(values, Texts) or spec.kind == "text":
            _check_text(where, name, spec, values, n)
            continue
        if tuple(values.shape) != (n, *spec.shape):
            wanted, given = (n, *spec.shape), tuple(values.shape)
            raise HarnessError(f"input {name!r} must be {wanted}, but is {given}", where=where)
        if spec.kind == "image" and values.dtype != torch.uint8:
            raise HarnessError(f"image {name!r} must be uint8, not {values.dtype}", where=where)
    if kind.is_floating_point:
        if not bool(torch.isfinite(split.targets).all()):
            raise HarnessError("some of its targets are NaN or infinite", where=where)
    else:
        classes = 1 if outline.task.kind == "language" else len(outline.task.classes)
        _check_range(where, "targets", split.targets, classes)
    if split.groups is not None:
        if split.groups.dtype != torch.int64 or split.groups.shape != (n,):
            raise HarnessError("its groups must be int64 [n]", where=where)
        _check_range(where, "groups", split.groups, len(outline.groups))


def _check_text(where: str, name: str, spec: InputSpec, values: object, n: int) -> None:
    if not isinstance(values, Texts) or spec.kind != "text":
        kind = "text" if isinstance(values, Texts) else type(values).__name__
        raise HarnessError(f"input {name!r} must be {spec.kind}, but is {kind}", where=where)
    if tuple(values.columns) != spec.fields:
        wanted, given = ", ".join(spec.fields), ", ".join(values.columns) or "none"
        message = f"its text {name!r} must have the fields {wanted}, in this order, not {given}"
        fix = "name the same in `InputSpec(fields=...)` and in `Texts`"
        raise HarnessError(message, where=where, fix=fix)
    for field, column in values.columns.items():
        if len(column) != n or column.null_count:
            raise HarnessError(
                f"field {field!r} must have {n} texts, but has {len(column) - column.null_count}",
                where=where,
            )


def _check_range(where: str, what: str, values: torch.Tensor, size: int) -> None:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= size:
        raise HarnessError(f"its {what} must lie in 0..{size - 1}, not {low}..{high}", where=where)
