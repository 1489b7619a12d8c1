"""Any encoder or decoder of transformers that classifies text, by its name or folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from harness.api.contexts import BuildRoom
from harness.api.data import DataRoom
from harness.api.networks import Network
from harness.api.offers import Model, Pretrained
from harness.api.settings import Settings, setting
from harness.api.texts import Reader
from harness_models.checkpoints import (
    CheckpointSettings,
    description_of,
    hash_of_description,
    source_of,
)
from harness_models.fetching import text_downloads
from harness_models.origins import Place

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from harness_models.brought import Checkpoint


class TextSettings(Settings):
    """How a model of transformers reads and runs."""

    longest: int = setting(128, "tokens kept of an example; the rest is cut off", ge=4)
    dropout: float | None = setting(
        None, "every dropout rate of the model; its configuration's own by default", ge=0.0, lt=1.0
    )
    attention: Literal["sdpa", "eager"] = setting("sdpa", "how attention is computed")
    pooler: Literal["kept", "fresh"] = setting(
        "kept", "whether the layer between encoder and classifier is the checkpoint's or drawn"
    )
    gradient_checkpointing: bool = setting(
        False, "compute blocks again in the backward pass, for less memory", identity=False
    )


class TransformerSettings(CheckpointSettings, TextSettings):
    """Which model, and how it reads and runs."""


def build(settings: TransformerSettings, room: BuildRoom) -> Network:
    """The architecture of the checkpoint with the classes of the task; all weights are drawn."""
    from harness_models.built import text_network

    return text_network("transformer", settings, _folder(settings), room)


def reader(settings: TransformerSettings, room: DataRoom) -> Reader:
    """The checkpoint's own fast tokenizer."""
    return read_by(_folder(settings, offline=room.offline), settings.longest)


def read_by(folder: Path, longest: int) -> Reader:
    """The fast tokenizer of a folder."""
    from harness_models.tokenizing import TokenizerReader, vocabulary_size

    return TokenizerReader(folder, longest, vocabulary_size(folder))


def fingerprint(settings: TransformerSettings) -> str:
    """Configuration and tokenizer, after a look at whether they fit each other.

    Raises:
        HarnessError: they do not, or cannot be found.
    """
    return described(_folder(settings))


def _folder(settings: TransformerSettings, *, offline: bool = False) -> Path:
    return description_of(settings, reads=True, offline=offline)


def described(folder: Path) -> str:
    """The fingerprint of a folder's configuration and tokenizer, after a look at both."""
    from harness_models.tokenizing import check_vocabulary

    check_vocabulary(folder, str(folder))
    return hash_of_description(folder)


def load(settings: TransformerSettings, name: str, room: DataRoom) -> Mapping[str, Tensor]:
    """The checkpoint's weights without a head."""
    from harness_models.brought import brought

    return brought(_checkpoint(settings, name, room), offline=room.offline)


def check(settings: TransformerSettings, name: str, room: DataRoom) -> None:
    """Raise where the checkpoint's weights do not fill the model."""
    from harness_models.brought import check_fit

    check_fit(_checkpoint(settings, name, room))


def _checkpoint(settings: TransformerSettings, name: str, room: DataRoom) -> Checkpoint:
    from harness_models.built import text_checkpoint

    return text_checkpoint(settings, _folder(settings, offline=room.offline), Place.read(name))


TRANSFORMER = Model(
    name="transformer",
    about="a text classifier of transformers, from the hub or a folder; pretrained seeds by name",
    settings=TransformerSettings,
    source="https://arxiv.org/abs/1910.03771",
    build=build,
    reader=reader,
    fingerprint=fingerprint,
    pretrained=Pretrained(source=source_of, load=load, check=check),
    downloads=text_downloads,
    tasks=("classification", "regression"),
)
