"""SST-2: is a sentence of a film review positive or negative?"""

from __future__ import annotations

from pathlib import Path

from harness.api.data import DataRoom, Outline, Splits
from harness.api.downloads import Download
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, Meaning
from harness_datasets.texts.published import GLUE_REVISION, TSV, Published, train_and_dev

LABELS = (("0", "negative"), ("1", "positive"))
COLUMNS = Meaning(fields=(("sentence", "sentence"),), label="label")


class Sst2Settings(Published):
    """Where the sentences come from, and what is kept for choosing settings."""

    path: Path | None = setting(None, "folder with GLUE's train.tsv and dev.tsv", identity=False)


def outline(settings: Sst2Settings) -> Outline:
    """Sizes and classes."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: Sst2Settings) -> str:
    """The hash of the files, or the pinned revision."""
    return loading.fingerprint(_corpus(settings))


def load(settings: Sst2Settings, room: DataRoom) -> Splits:
    """Sentences; `val` leaves train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def downloads(settings: Sst2Settings, _room: DataRoom) -> tuple[Download, ...]:
    """The hub's files, where they come from there."""
    return loading.downloads(_corpus(settings))


def _corpus(settings: Sst2Settings) -> Corpus:
    pieces = train_and_dev(settings, "sst2", TSV, COLUMNS)
    pinned = settings.revision == GLUE_REVISION
    return Corpus(tuple(pieces), LABELS, cut=settings.cut, salt="sst2", pinned=pinned)


SST2 = Dataset(
    name="sst2",
    about="68,221 phrases and sentences of film reviews, positive or negative (GLUE)",
    source="https://nlp.stanford.edu/sentiment/",
    settings=Sst2Settings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="not stated by its authors",
    citation="Socher et al. (2013), Recursive deep models for semantic compositionality, EMNLP",
)
