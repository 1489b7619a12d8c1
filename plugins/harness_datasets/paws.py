"""PAWS: pairs of sentences from the same words that often mean different things."""

from __future__ import annotations

from pathlib import Path

from harness.api.data import DataRoom, Outline, Splits
from harness.api.downloads import Download
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, FileOrigin, Meaning, Piece
from harness_datasets.texts.hub_rows import HubOrigin
from harness_datasets.texts.published import TSV, Published

REPOSITORY = "google-research-datasets/paws"
REVISION = "161ece9501cf0a11f3e48bd356eaa82de46d6a09"
LABELS = (("0", "not-duplicate"), ("1", "duplicate"))
COLUMNS = Meaning(fields=(("sentence1", "sentence1"), ("sentence2", "sentence2")), label="label")


class PawsSettings(Published):
    """Where the pairs come from, and what is kept for choosing settings."""

    path: Path | None = setting(
        None, "folder of PAWS-QQP with train.tsv and dev_and_test.tsv", identity=False
    )
    revision: str = setting(
        REVISION, f"commit of {REPOSITORY} on the hub, which has PAWS-Wiki", identity=False
    )


def outline(settings: PawsSettings) -> Outline:
    """Sizes and classes."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: PawsSettings) -> str:
    """The hash of the files, or the pinned revision."""
    return loading.fingerprint(_corpus(settings))


def load(settings: PawsSettings, room: DataRoom) -> Splits:
    """Pairs; `val` leaves train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def downloads(settings: PawsSettings, _room: DataRoom) -> tuple[Download, ...]:
    """The hub's files, where they come from there."""
    return loading.downloads(_corpus(settings))


def _corpus(settings: PawsSettings) -> Corpus:
    pieces = _from_hub(settings) if settings.path is None else _from_files(settings.path)
    pinned = settings.revision == REVISION
    return Corpus(pieces, LABELS, cut=settings.cut, salt="paws", pinned=pinned)


def _from_files(folder: Path) -> tuple[Piece, ...]:
    return (
        Piece("train", "train", FileOrigin(folder / "train.tsv", TSV), COLUMNS),
        Piece("test", "id", FileOrigin(folder / "dev_and_test.tsv", TSV), COLUMNS),
    )


def _from_hub(settings: PawsSettings) -> tuple[Piece, ...]:
    """PAWS-Wiki: Quora's terms keep PAWS-QQP from being passed on."""

    def origin(split: str) -> HubOrigin:
        return HubOrigin(REPOSITORY, settings.revision, "labeled_final", split)

    return (
        Piece("train", "train", origin("train"), COLUMNS, size=49_401),
        Piece("dev", "id", origin("validation"), COLUMNS, size=8_000),
        Piece("test", "id", origin("test"), COLUMNS, size=8_000),
    )


PAWS = Dataset(
    name="paws",
    about="pairs with the same words in another order: PAWS-QQP by path, PAWS-Wiki from the hub",
    source="https://github.com/google-research-datasets/paws",
    settings=PawsSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="free for any purpose; sentences of PAWS-QQP under Quora's terms: non-commercial",
    citation="Zhang, Baldridge and He (2019), Paraphrase adversaries from word scrambling, NAACL",
)
