"""MNIST-like data by path: train and test images of grey digits, in the layouts people have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness_datasets import files, hub, named_arrays
from harness_datasets.stretching import stretched

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

IDX_NAMES = {"train": "train", "test": "t10k"}
LAYOUTS = (
    "IDX files (train-images-idx3-ubyte, t10k-..., also .gz), an npz with x_train, y_train, "
    "x_test, y_test, or the hub's parquet files"
)


def data_files(path: Path) -> list[Path]:
    """The files that hold the data."""
    path = files.located(path)
    if _is_parquet(path):
        return [file for split in IDX_NAMES for file in hub.parquet_files(path, split)]
    found = named_arrays.arrays_at(path)
    names = [name for split in IDX_NAMES for name in _names(path, split)]
    return sorted({found[name] for name in names})


def count(path: Path, split: str) -> int:
    """The number of examples of "train" or "test", without reading them."""
    path = files.located(path)
    if _is_parquet(path):
        return hub.parquet_rows(path, split)
    return named_arrays.array_shape(path, _names(path, split)[0])[0]


def read(path: Path, split: str, span: tuple[float, float]) -> tuple[Array, Array]:
    """Images uint8 [n, h, w] and labels int64 [n] of "train" or "test".

    Images that are not uint8 are stretched from `span` to 0..255; thousandths (`X_train_milli`)
    are divided by 1000 first. Rows of pixels must make a square.
    """
    import numpy as np

    path = files.located(path)
    if _is_parquet(path):
        images, labels = hub.parquet_images(path, split)
    else:
        name, labels_name = _names(path, split)
        images = named_arrays.read_array(path, name)
        labels = named_arrays.read_array(path, labels_name)
        if name.endswith("_milli"):
            images = images / 1000
    where = f"{path} ({split})"
    side = round(images[0].size ** 0.5) if len(images) else 0
    if labels.shape != (len(images),) or not len(images) or images[0].size != side**2:
        shapes = f"{list(images.shape)} and {list(labels.shape)}"
        raise HarnessError(f"expected square images and one label each, got {shapes}", where=where)
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
        raise HarnessError("labels must be whole numbers from 0 to 9", where=where)
    return stretched(images, span, where).reshape(-1, side, side), labels.astype(np.int64)


def _is_parquet(path: Path) -> bool:
    return path.is_dir() and next(path.rglob("*.parquet"), None) is not None


def _names(path: Path, split: str) -> tuple[str, str]:
    found = named_arrays.arrays_at(path)
    stem = IDX_NAMES[split]
    pairs = [
        *((f"{stem}-images{dot}idx3-ubyte", f"{stem}-labels{dot}idx1-ubyte") for dot in "-."),
        *((f"{x}_{split}{milli}", f"y_{split}") for x in "xX" for milli in ("", "_milli")),
    ]
    for images, labels in pairs:
        if images in found and labels in found:
            return images, labels
    raise HarnessError(f"no {split} images with labels", where=str(path), fix=f"expected {LAYOUTS}")
