"""Does a loaded dataset agree with what it said of itself? A plugin's mistake, found early."""

from collections.abc import Mapping

import torch

from harness.api.data import Outline, Split, Splits
from harness.api.errors import HarnessError


def check_dataset(name: str, outline: Outline, splits: Splits) -> None:
    """Raise `HarnessError` naming the dataset where splits and outline differ."""
    _check_names(name, "in-domain splits", set(outline.id), set(splits.id))
    _check_names(name, "OOD splits", set(outline.ood), set(splits.ood))
    sizes: Mapping[str, int | None] = {
        "train": outline.train,
        **outline.id,
        **{split: ood.examples for split, ood in outline.ood.items()},
    }
    for split, loaded in {"train": splits.train, **splits.id, **splits.ood}.items():
        _check_split(f"dataset {name!r}, split {split!r}", outline, loaded, sizes[split])


def _check_names(name: str, what: str, promised: set[str], loaded: set[str]) -> None:
    if promised != loaded:
        raise HarnessError(
            f"its outline promises the {what} {sorted(promised)}, its load gives {sorted(loaded)}",
            where=f"dataset {name!r}",
        )


def _check_split(where: str, outline: Outline, split: Split, size: int | None) -> None:
    _check_names(where, "inputs", set(outline.inputs), set(split.inputs))
    n = len(split.targets)
    if n == 0:
        raise HarnessError("it has no examples", where=where)
    if size is not None and n != size:
        raise HarnessError(f"its outline promises {size} examples, its load gives {n}", where=where)
    if split.targets.dtype != torch.int64 or split.targets.ndim != 1:
        raise HarnessError("its targets must be int64 [n]", where=where)
    for name, spec in outline.inputs.items():
        values = split.inputs[name]
        if tuple(values.shape) != (n, *spec.shape):
            wanted, given = (n, *spec.shape), tuple(values.shape)
            raise HarnessError(f"input {name!r} must be {wanted}, but is {given}", where=where)
        if spec.kind == "image" and values.dtype != torch.uint8:
            raise HarnessError(f"image {name!r} must be uint8, not {values.dtype}", where=where)
    _check_range(where, "targets", split.targets, len(outline.task.classes))
    if split.groups is not None:
        if split.groups.dtype != torch.int64 or split.groups.shape != (n,):
            raise HarnessError("its groups must be int64 [n]", where=where)
        _check_range(where, "groups", split.groups, len(outline.groups))


def _check_range(where: str, what: str, values: torch.Tensor, size: int) -> None:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= size:
        raise HarnessError(f"its {what} must lie in 0..{size - 1}, not {low}..{high}", where=where)
