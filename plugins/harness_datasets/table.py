"""A table with a column to predict, in csv, tsv, jsonl or parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from harness.api.data import DataRoom, InputSpec, OodOutline, Outline, Split, Splits, Task
from harness.api.errors import HarnessError
from harness.api.offers import Dataset
from harness.api.settings import Settings, setting
from harness_datasets import files, labels, splitting, tabular
from harness_datasets.parts import once
from harness_datasets.stretching import standardized

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Array = np.ndarray[Any, np.dtype[Any]]


class OodFile(Settings):
    """An OOD split in a file of its own."""

    source: Path = setting(..., "the file")
    shift: str = setting("natural", "the kind of shift, for reports")
    parent: str = setting("test", "the in-domain split that it is compared with")


class TableSettings(Settings):
    """Which files, and what their columns mean."""

    path: Path = setting(..., "file with the training rows", identity=False)
    target: str = setting(..., "column to predict: text or whole numbers")
    features: tuple[str, ...] = setting((), "numeric columns to predict from; empty: all others")
    group: str | None = setting(None, "column with each row's group")
    val: float = setting(0.1, "share (below 1) or number of training rows for `val`", ge=0)
    test: float = setting(0.2, "the same for `test`; 0 where a file in `id` gives it", ge=0)
    id: dict[str, Path] = setting({}, "further in-domain files: name and path", identity=False)
    ood: dict[str, OodFile] = setting(
        {}, "OOD files: name and `{source: path, shift: kind, parent: split}`", identity=False
    )
    standardize: bool = setting(True, "mean 0 and sd 1 over the training rows, per column")

    @model_validator(mode="after")
    def _names_once(self) -> TableSettings:
        cut = {"val": self.val, "test": self.test}
        once([*(name for name, share in cut.items() if share), *self.id, *self.ood])
        return self


def outline(settings: TableSettings) -> Outline:
    """Sizes, columns and classes; the files are read for it, once per change."""
    train = tabular.read_table(settings.path)
    classes = _known(settings, train, settings.target)
    parts = _sizes(settings, train.num_rows)
    labels.must_be_several(classes, f"the column {settings.target!r}", str(settings.path))
    shape = (len(_features(settings, train)),)
    return Outline(
        task=Task("classification", classes),
        inputs={"x": InputSpec(shape, "float")},
        train=train.num_rows - sum(parts.values()),
        id={**parts, **{n: tabular.read_table(at).num_rows for n, at in settings.id.items()}},
        ood={
            name: OodOutline(part.shift, part.parent, tabular.read_table(part.source).num_rows)
            for name, part in settings.ood.items()
        },
        groups=_known(settings, train, settings.group) if settings.group else (),
    )


def fingerprint(settings: TableSettings) -> str:
    """The hash of all files, with the names of the splits that they are."""
    ood = {name: part.source for name, part in settings.ood.items()}
    named = {"train": settings.path, **settings.id, **ood}
    return files.named_fingerprint({name: files.located(path) for name, path in named.items()})


def load(settings: TableSettings, _room: DataRoom) -> Splits:
    """Rows as one float input `x`; `val` and `test` leave train by a fixed hash of the index."""
    train = tabular.read_table(settings.path)
    inputs, targets, groups = _read(settings, train, settings.path, train)
    parts = splitting.stratified(targets, _sizes(settings, len(targets)), "table")
    reference = inputs[parts["train"]] if settings.standardize else None

    def split(inputs: Array, targets: Array, groups: Array | None) -> Split:
        return _split(standardized(inputs, reference), targets, groups)

    def of_file(path: Path) -> Split:
        return split(*_read(settings, tabular.read_table(path), path, train))

    made = {
        name: split(inputs[where], targets[where], None if groups is None else groups[where])
        for name, where in parts.items()
    }
    return Splits(
        train=made.pop("train"),
        id={**made, **{name: of_file(path) for name, path in settings.id.items()}},
        ood={name: of_file(part.source) for name, part in settings.ood.items()},
    )


def _read(
    settings: TableSettings, table: pa.Table, path: Path, train: pa.Table
) -> tuple[Array, Array, Array | None]:
    where = str(path)

    def indices(name: str) -> Array:
        known = _known(settings, train, name)
        return labels.class_indices(tabular.text_or_numbers(table, name, where), known, where)

    groups = indices(settings.group) if settings.group else None
    names = _features(settings, train)
    return tabular.numbers(table, names, where), indices(settings.target), groups


def _split(inputs: Array, targets: Array, groups: Array | None) -> Split:
    import torch

    return Split(
        inputs={"x": torch.from_numpy(inputs)},
        targets=torch.from_numpy(targets),
        groups=None if groups is None else torch.from_numpy(groups),
    )


def _features(settings: TableSettings, train: pa.Table) -> list[str]:
    others = [n for n in train.column_names if n not in (settings.target, settings.group)]
    names = list(settings.features) or others
    if not names:
        raise HarnessError("no column to predict from", where=str(settings.path))
    if settings.target in names:
        raise HarnessError(
            f"the target {settings.target!r} is also a feature", where=str(settings.path)
        )
    tabular.must_be_numbers(train, names, str(settings.path))
    return names


def _known(settings: TableSettings, train: pa.Table, name: str) -> tuple[str, ...]:
    where = str(settings.path)
    return labels.class_names(tabular.text_or_numbers(train, name, where), where)


def _sizes(settings: TableSettings, n: int) -> dict[str, int]:
    wanted = {"val": settings.val, "test": settings.test}
    return {name: size for name, size in splitting.sizes(n, wanted).items() if size}


TABLE = Dataset(
    name="table",
    about="rows of numbers with a column to predict: csv, tsv, jsonl or parquet files",
    settings=TableSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
)
