"""IMDb: is a film review positive or negative?"""

from __future__ import annotations

from pathlib import Path

from harness.api.data import DataRoom, Outline, Splits
from harness.api.downloads import Download
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, Meaning, Origin, Piece
from harness_datasets.texts.folder_rows import FolderOrigin
from harness_datasets.texts.hub_rows import HubOrigin
from harness_datasets.texts.published import Published

REPOSITORY = "stanfordnlp/imdb"
REVISION = "e6281661ce1c48d982bc483cf8a173c1bbeb5d31"
FOLDERS = ("neg", "pos")
LABELS = (("neg", "negative"), ("pos", "positive"), ("0", "negative"), ("1", "positive"))
COLUMNS = Meaning(fields=(("text", "text"),), label="label")


class ImdbSettings(Published):
    """Where the reviews come from, and what is kept for choosing settings."""

    path: Path | None = setting(
        None, "folder aclImdb with train/pos, train/neg, test/pos, test/neg", identity=False
    )
    revision: str = setting(REVISION, f"commit of {REPOSITORY} on the hub", identity=False)


def outline(settings: ImdbSettings) -> Outline:
    """Sizes and classes."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: ImdbSettings) -> str:
    """The hash of the files, or the pinned revision."""
    return loading.fingerprint(_corpus(settings))


def load(settings: ImdbSettings, room: DataRoom) -> Splits:
    """Reviews; `val` leaves train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def downloads(settings: ImdbSettings, _room: DataRoom) -> tuple[Download, ...]:
    """The hub's files, where they come from there."""
    return loading.downloads(_corpus(settings))


def _corpus(settings: ImdbSettings) -> Corpus:
    pieces = (
        Piece("train", "train", _origin(settings, "train"), COLUMNS, size=25_000),
        Piece("test", "id", _origin(settings, "test"), COLUMNS, size=25_000),
    )
    pinned = settings.revision == REVISION
    return Corpus(pieces, LABELS, cut=settings.cut, salt="imdb", pinned=pinned)


def _origin(settings: ImdbSettings, split: str) -> Origin:
    if settings.path is None:
        return HubOrigin(REPOSITORY, settings.revision, "plain_text", split)
    return FolderOrigin(settings.path / split, FOLDERS)


IMDB = Dataset(
    name="imdb",
    about="50,000 film reviews, positive or negative",
    source="https://ai.stanford.edu/~amaas/data/sentiment/",
    settings=ImdbSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="not stated by its authors",
    citation="Maas et al. (2011), Learning word vectors for sentiment analysis, ACL",
)
