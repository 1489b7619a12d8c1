"""scikit-learn's 1,797 real handwritten digits, 8 x 8: no download, no network."""

import gzip
from pathlib import Path
from typing import Literal

from harness.api.data import DataRoom, InputSpec, Outline, Splits, Task
from harness.api.errors import HarnessError
from harness.api.offers import Dataset
from harness.api.settings import Settings, setting
from harness_datasets import files, pictures, splitting

EXAMPLES = 1797


class DigitsSettings(Settings):
    """How many examples are kept for evaluation, and how large the images are."""

    val: float = setting(0.1, "share (below 1) or number of examples for `val`; 0: none", ge=0)
    test: float = setting(0.3, "share (below 1) or number of examples for `test`", gt=0)
    size: Literal[8, 16, 28] = setting(8, "pixels per side; above 8 by bilinear interpolation")


def outline(settings: DigitsSettings) -> Outline:
    """Sizes and shapes; nothing is loaded."""
    parts = _sizes(settings)
    return Outline(
        task=Task("classification", tuple("0123456789")),
        inputs={"image": InputSpec((1, settings.size, settings.size), mean=(0.305,), std=(0.376,))},
        train=EXAMPLES - sum(parts.values()),
        id=parts,
    )


def fingerprint(_settings: DigitsSettings) -> str:
    """The hash of the data file inside scikit-learn, which is not imported for it."""
    return files.fingerprint([_file()])


def load(settings: DigitsSettings, _room: DataRoom) -> Splits:
    """The images, 0..16 stretched to 0..255, split by index (see `splitting.stratified`)."""
    import numpy as np
    import torch

    with gzip.open(_file(), "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float64)
    if table.shape != (EXAMPLES, 65):
        raise HarnessError(f"expected {EXAMPLES:,} digits of 64 pixels", where=str(_file()))
    scaled = torch.from_numpy(table[:, :-1]).reshape(-1, 1, 8, 8) * (255 / 16)
    images = pictures.resized(pictures.as_bytes(scaled), settings.size)
    labels = table[:, -1].astype(np.int64)
    found = {
        name: pictures.split_of(images[indices], labels[indices])
        for name, indices in splitting.stratified(labels, _sizes(settings), "digits").items()
    }
    return Splits(train=found.pop("train"), id=found)


def _sizes(settings: DigitsSettings) -> dict[str, int]:
    parts = splitting.sizes(EXAMPLES, {"val": settings.val, "test": settings.test})
    return {name: size for name, size in parts.items() if size}


def _file() -> Path:
    return files.package_file(
        "sklearn", "datasets", "data", "digits.csv.gz", install="pip install scikit-learn"
    )


DIGITS = Dataset(
    name="digits",
    about="1,797 real handwritten digits, 8 x 8 grey, ten classes, inside scikit-learn",
    source="https://archive.ics.uci.edu/dataset/80",
    settings=DigitsSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    license="CC BY 4.0 (UCI optdigits, test part)",
    citation="Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI",
)
