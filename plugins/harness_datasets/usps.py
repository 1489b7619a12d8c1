"""USPS: digits from envelopes, another way of writing and scanning than MNIST's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from harness.api.data import DataRoom, InputSpec, Outline, Split, Splits, Task
from harness.api.downloads import Download
from harness.api.errors import HarnessError
from harness.api.offers import Dataset
from harness.api.settings import Settings, setting
from harness_datasets import files, grey_digits, hub, pictures, splitting

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

REPOSITORY = "flwrlabs/usps"


class UspsSettings(Settings):
    """Where the images come from, how large they are made, what is kept for evaluation."""

    source: Literal["path", "hub"] = setting("path", "files on disk or a download", identity=False)
    path: Path | None = setting(None, "folder or npz file with the data", identity=False)
    revision: str | None = setting(None, f"commit of {REPOSITORY} on the hub", identity=False)
    size: int = setting(28, "pixels per side, from 16 by bilinear interpolation", ge=8, le=256)
    span: tuple[float, float] = setting(
        (-1.0, 1.0), "darkest and brightest value of images that are not uint8"
    )
    val: float = setting(0.1, "share (below 1) or number of training examples for `val`", ge=0)

    @model_validator(mode="after")
    def _path_where_needed(self) -> UspsSettings:
        if (self.source == "path") != (self.path is not None):
            raise ValueError("`source: path` and a `path` go together")
        if self.span[0] >= self.span[1]:
            raise ValueError("`span` must go from dark to bright")
        return self


def outline(settings: UspsSettings) -> Outline:
    """Sizes and shapes; only headers are read. Means and scales are MNIST's, to go with it."""
    train, test = 7291, 2007
    if settings.path:
        train, test = (grey_digits.count(settings.path, split) for split in ("train", "test"))
    kept = _val(settings, train)
    shape = (1, settings.size, settings.size)
    return Outline(
        task=Task("classification", tuple("0123456789")),
        inputs={"image": InputSpec(shape, mean=(0.1307,), std=(0.3081,))},
        train=train - sum(kept.values()),
        id={**kept, "test": test},
    )


def fingerprint(settings: UspsSettings) -> str:
    """The hash of the files, or the pinned revision."""
    if settings.path:
        return files.fingerprint(grey_digits.data_files(settings.path))
    return hub.hub_fingerprint(REPOSITORY, settings.revision)


def downloads(settings: UspsSettings, _room: DataRoom) -> list[Download]:
    """The hub's files, where they come from there."""
    if settings.path is not None:
        return []
    return [hub.hub_download(REPOSITORY, settings.revision)]


def load(settings: UspsSettings, room: DataRoom) -> Splits:
    """Images as uint8, 0 the background, resized; `val` leaves train by a fixed hash."""
    folder = settings.path or hub.hub_folder(REPOSITORY, settings.revision, room)
    train = grey_digits.read(folder, "train", settings.span)
    test = grey_digits.read(folder, "test", settings.span)
    parts = splitting.stratified(train[1], _val(settings, len(train[1])), "usps")
    found = {name: _split(train[0][w], train[1][w], settings) for name, w in parts.items()}
    return Splits(train=found.pop("train"), id={**found, "test": _split(*test, settings)})


def _val(settings: UspsSettings, n: int) -> dict[str, int]:
    return {name: k for name, k in splitting.sizes(n, {"val": settings.val}).items() if k}


def _split(images: Array, labels: Array, settings: UspsSettings) -> Split:
    import torch

    if images.shape[1] != 16:
        raise HarnessError(f"USPS's images have 16 x 16 pixels, not {list(images.shape[1:])}")
    wide = torch.from_numpy(images[:, None].copy())
    return pictures.split_of(pictures.resized(wide, settings.size), labels)


USPS = Dataset(
    name="usps",
    about="9,298 digits from envelopes, 16 x 16 grey made 28 x 28; natural OOD for MNIST",
    source="https://huggingface.co/datasets/flwrlabs/usps",
    settings=UspsSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="not stated by its authors",
    citation="Hull (1994), A database for handwritten text recognition research, IEEE PAMI 16(5)",
)
