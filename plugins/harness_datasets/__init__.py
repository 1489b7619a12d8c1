"""Built-in data: digits, texts, files by path, and the shifts that make OOD splits."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Dataset, Shift
from harness_datasets.arrays import ARRAYS
from harness_datasets.cola import COLA
from harness_datasets.digits import DIGITS
from harness_datasets.hans import HANS
from harness_datasets.hub_text import HUB_TEXT
from harness_datasets.images import IMAGES
from harness_datasets.imdb import IMDB
from harness_datasets.mnist import MNIST
from harness_datasets.mnli import MNLI
from harness_datasets.paws import PAWS
from harness_datasets.qqp import QQP
from harness_datasets.rte import RTE
from harness_datasets.shifts.block_shuffle import BLOCK_SHUFFLE
from harness_datasets.shifts.blur import BLUR
from harness_datasets.shifts.contrast import CONTRAST
from harness_datasets.shifts.inversion import INVERSION
from harness_datasets.shifts.noise import NOISE
from harness_datasets.shifts.occlusion import OCCLUSION
from harness_datasets.shifts.rotation import ROTATION
from harness_datasets.shifts.scale import SCALE
from harness_datasets.shifts.translation import TRANSLATION
from harness_datasets.sst2 import SST2
from harness_datasets.table import TABLE
from harness_datasets.text import TEXT
from harness_datasets.usps import USPS


@hookimpl
def harness_datasets() -> Iterable[Dataset]:
    """Data sets by name."""
    return (
        ARRAYS,
        COLA,
        DIGITS,
        HANS,
        HUB_TEXT,
        IMAGES,
        IMDB,
        MNIST,
        MNLI,
        PAWS,
        QQP,
        RTE,
        SST2,
        TABLE,
        TEXT,
        USPS,
    )


@hookimpl
def harness_shifts() -> Iterable[Shift]:
    """Image transformations, deterministic per example."""
    return (
        BLOCK_SHUFFLE,
        BLUR,
        CONTRAST,
        INVERSION,
        NOISE,
        OCCLUSION,
        ROTATION,
        SCALE,
        TRANSLATION,
    )
