"""Arrays of inputs and labels in an npz file, or in npy and IDX files of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from harness.api.data import DataRoom, InputSpec, Outline, Split, Splits, Task
from harness.api.errors import HarnessError
from harness.api.offers import Dataset
from harness.api.settings import Settings, setting
from harness_datasets import files, labels, named_arrays, splitting
from harness_datasets.parts import OodPart, once, ood_outlines
from harness_datasets.stretching import standardized, stretched

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


class ArraysSettings(Settings):
    """Where the arrays lie, what they are called, and what they mean."""

    path: Path = setting(..., "npz file, or folder of npy and IDX files", identity=False)
    inputs: str = setting("x_{split}", "name of the arrays of inputs")
    targets: str = setting("y_{split}", "name of the arrays of labels")
    groups: str = setting("", "name of the arrays of group labels, if there are any")
    train: str = setting("train", "what `{split}` stands for in the training data")
    id: dict[str, str] = setting({"test": "test"}, "in-domain splits: name and `{split}`")
    ood: dict[str, OodPart] = setting({}, "OOD splits: name and `{source: SPLIT, shift: kind}`")
    val: float = setting(0.0, "share (below 1) or number of training examples for `val`", ge=0)
    kind: Literal["image", "float"] = setting("image", "what one example is")
    span: tuple[float, float] | None = setting(
        None, "darkest and brightest value of images that are not uint8"
    )
    mean: float = setting(0.5, "of images: subtracted from pixels in 0..1")
    std: float = setting(0.25, "of images: then divided by", gt=0)
    standardize: bool = setting(
        True, "of float inputs: mean 0 and sd 1 over the training examples, per number"
    )

    @model_validator(mode="after")
    def _sensible(self) -> ArraysSettings:
        once([*(["val"] if self.val else []), *self.id, *self.ood])
        if self.span is not None and self.span[0] >= self.span[1]:
            raise ValueError("`span` must go from dark to bright")
        return self


def outline(settings: ArraysSettings) -> Outline:
    """Sizes from the arrays' headers, classes from the training labels."""
    shape = named_arrays.array_shape(settings.path, _name(settings.inputs, settings.train))
    kept = _val(settings, shape[0])
    classes = _known(settings, settings.targets)
    what = f"the array {_name(settings.targets, settings.train)!r}"
    labels.must_be_several(classes, what, str(settings.path))
    if settings.kind == "image":
        form = _form(shape[1:])
        spec = InputSpec(form, mean=(settings.mean,) * form[0], std=(settings.std,) * form[0])
    else:
        spec = InputSpec(shape[1:], "float")
    sizes: dict[str, int | None] = {
        name: _size(settings, part.source) for name, part in settings.ood.items()
    }
    return Outline(
        task=Task("classification", classes),
        inputs={"image" if settings.kind == "image" else "x": spec},
        train=shape[0] - sum(kept.values()),
        id={**kept, **{name: _size(settings, at) for name, at in settings.id.items()}},
        ood=ood_outlines(settings.ood, sizes),
        groups=_known(settings, settings.groups) if settings.groups else (),
    )


def fingerprint(settings: ArraysSettings) -> str:
    """The hash of the files that hold the named arrays."""
    path = files.located(settings.path)
    found = named_arrays.arrays_at(path)
    patterns = [p for p in (settings.inputs, settings.targets, settings.groups) if p]
    names = [_name(pattern, at) for at in _sources(settings) for pattern in patterns]
    used = sorted({found[name] for name in names if name in found})
    return files.fingerprint(used, path if path.is_dir() else None)


def load(settings: ArraysSettings, _room: DataRoom) -> Splits:
    """All arrays, checked; `val` leaves train by a fixed hash of the index."""
    read = {at: _read(settings, at) for at in _sources(settings)}
    inputs, targets, groups = read[settings.train]
    parts = splitting.stratified(targets, _val(settings, len(targets)), "arrays")
    kept = {
        name: (inputs[where], targets[where], None if groups is None else groups[where])
        for name, where in parts.items()
    }
    reference = kept["train"][0] if settings.kind == "float" and settings.standardize else None

    def split(inputs: Array, targets: Array, groups: Array | None) -> Split:
        return _split(settings.kind, standardized(inputs, reference), targets, groups)

    made = {name: split(*part) for name, part in kept.items()}
    return Splits(
        train=made.pop("train"),
        id={**made, **{name: split(*read[at]) for name, at in settings.id.items()}},
        ood={name: split(*read[part.source]) for name, part in settings.ood.items()},
    )


def _read(settings: ArraysSettings, at: str) -> tuple[Array, Array, Array | None]:
    where = f"{settings.path} ({at})"
    inputs = named_arrays.read_array(settings.path, _name(settings.inputs, at))
    targets = _labels(settings, settings.targets, at)
    groups = _labels(settings, settings.groups, at) if settings.groups else None
    for name, array in (("labels", targets), ("groups", groups)):
        if array is not None and len(array) != len(inputs):
            raise HarnessError(f"{len(inputs):,} inputs and {len(array):,} {name}", where=where)
    if settings.kind == "float":
        if inputs.dtype.kind not in "fiub":
            raise HarnessError(f"inputs must be numbers, not {inputs.dtype}", where=where)
        return inputs.astype("float32"), targets, groups
    pixels = stretched(inputs, settings.span, where)
    if _channels_last(inputs.shape[1:]):
        pixels = pixels.transpose(0, 3, 1, 2)
    return pixels.reshape(-1, *_form(inputs.shape[1:])), targets, groups


def _split(kind: str, inputs: Array, targets: Array, groups: Array | None) -> Split:
    import torch

    return Split(
        inputs={"image" if kind == "image" else "x": torch.from_numpy(inputs.copy())},
        targets=torch.from_numpy(targets),
        groups=None if groups is None else torch.from_numpy(groups),
    )


def _form(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) == 2:
        return (1, *shape)
    if len(shape) == 3 and shape[0] in (1, 3):
        return shape
    if _channels_last(shape):
        return (shape[2], *shape[:2])
    raise HarnessError(
        f"an image must be [height, width] with 1 or 3 channels first or last, not {list(shape)}",
        fix="say `kind: float` where it is no image",
    )


def _channels_last(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 and shape[0] not in (1, 3) and shape[2] in (1, 3)


def _labels(settings: ArraysSettings, pattern: str, at: str) -> Array:
    name = _name(pattern, at)
    found = named_arrays.read_array(settings.path, name)
    return labels.class_indices(found, _known(settings, pattern), f"{settings.path} ({name})")


def _known(settings: ArraysSettings, pattern: str) -> tuple[str, ...]:
    name = _name(pattern, settings.train)
    return labels.class_names(named_arrays.read_array(settings.path, name), str(settings.path))


def _size(settings: ArraysSettings, at: str) -> int:
    train, other = (
        named_arrays.array_shape(settings.path, _name(settings.inputs, name))
        for name in (settings.train, at)
    )
    if train[1:] != other[1:]:
        raise HarnessError(
            f"inputs of {at!r} have the shape {list(other[1:])}, those of {settings.train!r} "
            f"{list(train[1:])}",
            where=str(settings.path),
        )
    return other[0]


def _sources(settings: ArraysSettings) -> list[str]:
    ood = [part.source for part in settings.ood.values()]
    return list(dict.fromkeys([settings.train, *settings.id.values(), *ood]))


def _val(settings: ArraysSettings, n: int) -> dict[str, int]:
    return {name: k for name, k in splitting.sizes(n, {"val": settings.val}).items() if k}


def _name(pattern: str, at: str) -> str:
    return pattern.replace("{split}", at)


ARRAYS = Dataset(
    name="arrays",
    about="named arrays of inputs and labels: one npz file, or npy and IDX files in a folder",
    settings=ArraysSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
)
