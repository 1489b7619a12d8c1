"""Texts, or pairs of texts, of any repository of the hub that holds parquet files."""

from __future__ import annotations

from pydantic import model_validator

from harness.api.data import DataRoom, Outline, Splits
from harness.api.downloads import Download
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.parts import OodPart, once
from harness_datasets.texts import loading
from harness_datasets.texts.choosing import Choosing
from harness_datasets.texts.corpus import Corpus, Piece
from harness_datasets.texts.hub_rows import HubOrigin


class HubTextSettings(Choosing):
    """Which repository, and which of its splits are what."""

    repository: str = setting(..., "`owner/name` on the hub", pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = setting(..., "commit: 40 hexadecimal digits", identity=False)
    folder: str = setting("data", "folder of the files `SPLIT-*.parquet`, often the configuration")
    nested: bool = setting(False, "files are `SPLIT/*.parquet`, as the hub converts data itself")
    train: str = setting("train", "split with the training rows")
    id: dict[str, str] = setting({"test": "test"}, "in-domain splits: name, and name on the hub")
    ood: dict[str, OodPart] = setting(
        {}, "OOD splits: name and `{source: name on the hub, shift: kind, parent: split}`"
    )

    @model_validator(mode="after")
    def _names_once(self) -> HubTextSettings:
        once([*(name for name, _ in self.cut), *self.id, *self.ood])
        if self.label is not None and not self.labels:
            raise ValueError(
                "write `labels` (`{0: negative, 1: positive}`): nothing is fetched yet"
            )
        return self


def outline(settings: HubTextSettings) -> Outline:
    """Classes and splits; sizes are not known before the data are fetched."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: HubTextSettings) -> str:
    """The pinned revision, with the splits that are used."""
    return loading.fingerprint(_corpus(settings))


def load(settings: HubTextSettings, room: DataRoom) -> Splits:
    """Texts as Arrow columns; `val` and `test` leave train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def downloads(settings: HubTextSettings, _room: DataRoom) -> tuple[Download, ...]:
    """The hub's files."""
    return loading.downloads(_corpus(settings))


def _corpus(settings: HubTextSettings) -> Corpus:
    meaning = settings.meaning

    def origin(split: str) -> HubOrigin:
        return HubOrigin(
            settings.repository, settings.revision, settings.folder, split, settings.nested
        )

    return Corpus(
        pieces=(
            Piece("train", "train", origin(settings.train), meaning),
            *(Piece(name, "id", origin(split), meaning) for name, split in settings.id.items()),
            *(
                Piece(name, "ood", origin(part.source), meaning, part.shift, part.parent)
                for name, part in settings.ood.items()
            ),
        ),
        labels=tuple(settings.labels.items()),
        rules=settings.rules,
        cut=settings.cut,
    )


HUB_TEXT = Dataset(
    name="hub-text",
    about="texts or pairs of texts of any repository of the Hugging Face hub with parquet files",
    source="https://huggingface.co/datasets",
    settings=HubTextSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
)
