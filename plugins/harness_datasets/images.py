"""Image files in folders: one folder per split, in it one folder per class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from harness.api.data import DataRoom, InputSpec, Outline, Split, Splits, Task
from harness.api.errors import HarnessError
from harness.api.offers import Dataset
from harness.api.settings import Settings, setting
from harness_datasets import files, labels, pictures, pillow, splitting
from harness_datasets.parts import OodPart, once, ood_outlines

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")


class ImagesSettings(Settings):
    """Where the folders lie, and how images are read."""

    path: Path = setting(..., "folder with `train/CLASS/*.png` and so on", identity=False)
    id: dict[str, str] = setting({"test": "test"}, "in-domain splits: name and folder")
    ood: dict[str, OodPart] = setting({}, "OOD splits: name and `{source: folder, shift: kind}`")
    val: float = setting(0.0, "share (below 1) or number of training images for `val`", ge=0)
    size: int = setting(32, "pixels per side; other images are resized, bilinear", ge=1)
    mode: Literal["rgb", "grey"] = setting("rgb", "channels to keep")
    mean: float = setting(0.5, "subtracted from pixels in 0..1")
    std: float = setting(0.25, "then divided by", gt=0)

    @model_validator(mode="after")
    def _names_once(self) -> ImagesSettings:
        once([*(["val"] if self.val else []), *self.id, *self.ood])
        return self


def outline(settings: ImagesSettings) -> Outline:
    """Sizes and classes from the names of folders and files; no image is opened."""
    train = _listed(settings, "train")
    kept = _val(settings, len(train))
    classes = _classes(settings)
    labels.must_be_several(classes, "its folder `train`", str(settings.path))
    channels = 3 if settings.mode == "rgb" else 1
    spec = InputSpec(
        (channels, settings.size, settings.size),
        mean=(settings.mean,) * channels,
        std=(settings.std,) * channels,
    )
    sizes: dict[str, int | None] = {
        name: len(_listed(settings, part.source)) for name, part in settings.ood.items()
    }
    return Outline(
        task=Task("classification", classes),
        inputs={"image": spec},
        train=len(train) - sum(kept.values()),
        id={**kept, **{name: len(_listed(settings, at)) for name, at in settings.id.items()}},
        ood=ood_outlines(settings.ood, sizes),
    )


def fingerprint(settings: ImagesSettings) -> str:
    """The hash of all images with their places in the folder."""
    folders = ["train", *settings.id.values(), *(part.source for part in settings.ood.values())]
    listed = {file for folder in folders for file in _listed(settings, folder)}
    return files.fingerprint(sorted(listed), files.located(settings.path))


def load(settings: ImagesSettings, _room: DataRoom) -> Splits:
    """All images, decoded and resized; `val` leaves train by a fixed hash of the index."""
    images, targets = _read(settings, "train")
    parts = splitting.stratified(targets, _val(settings, len(targets)), "images")
    found = {name: _split(images[where], targets[where]) for name, where in parts.items()}
    return Splits(
        train=found.pop("train"),
        id={**found, **{n: _split(*_read(settings, at)) for n, at in settings.id.items()}},
        ood={n: _split(*_read(settings, part.source)) for n, part in settings.ood.items()},
    )


def _classes(settings: ImagesSettings) -> tuple[str, ...]:
    folder = files.located(settings.path) / "train"
    return tuple(sorted(inner.name for inner in folder.iterdir() if inner.is_dir()))


def _listed(settings: ImagesSettings, folder: str) -> list[Path]:
    """The images of a split, by class and name."""
    root = files.must_exist(files.located(settings.path) / folder)
    found = [
        file
        for inner in sorted(root.iterdir())
        if inner.is_dir()
        for file in sorted(inner.iterdir())
        if file.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise HarnessError("no images in folders of classes here", where=str(root))
    return found


def _val(settings: ImagesSettings, n: int) -> dict[str, int]:
    return {name: k for name, k in splitting.sizes(n, {"val": settings.val}).items() if k}


def _read(settings: ImagesSettings, folder: str) -> tuple[Array, Array]:
    import numpy as np

    listed = _listed(settings, folder)
    names = np.array([file.parent.name for file in listed])
    targets = labels.class_indices(names, _classes(settings), str(listed[0].parents[1]))
    pixels = []
    for file in listed:
        image = pillow.opened(file, str(file)).convert("RGB" if settings.mode == "rgb" else "L")
        image = image.resize((settings.size, settings.size), resample=2)  # 2: bilinear
        pixels.append(np.asarray(image).reshape(settings.size, settings.size, -1))
    return np.stack(pixels).transpose(0, 3, 1, 2), targets


def _split(images: Array, targets: Array) -> Split:
    import torch

    return pictures.split_of(torch.from_numpy(images.copy()), targets)


IMAGES = Dataset(
    name="images",
    about="image files in folders: train/CLASS/*.png, test/CLASS/*.png, OOD folders beside them",
    settings=ImagesSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
)
