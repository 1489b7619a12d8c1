"""RTE: does a text entail a sentence?"""

from __future__ import annotations

from pathlib import Path

from harness.api.data import DataRoom, Outline, Splits
from harness.api.downloads import Download
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, Meaning
from harness_datasets.texts.published import GLUE_REVISION, TSV, Published, train_and_dev

LABELS = (
    ("entailment", "entailment"),
    ("not_entailment", "non-entailment"),
    ("0", "entailment"),
    ("1", "non-entailment"),
)
COLUMNS = Meaning(fields=(("premise", "sentence1"), ("hypothesis", "sentence2")), label="label")


class RteSettings(Published):
    """Where the pairs come from, and what is kept for choosing settings."""

    path: Path | None = setting(None, "folder with GLUE's train.tsv and dev.tsv", identity=False)


def outline(settings: RteSettings) -> Outline:
    """Sizes and classes."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: RteSettings) -> str:
    """The hash of the files, or the pinned revision."""
    return loading.fingerprint(_corpus(settings))


def load(settings: RteSettings, room: DataRoom) -> Splits:
    """Pairs; `val` leaves train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def downloads(settings: RteSettings, _room: DataRoom) -> tuple[Download, ...]:
    """The hub's files, where they come from there."""
    return loading.downloads(_corpus(settings))


def _corpus(settings: RteSettings) -> Corpus:
    pieces = train_and_dev(settings, "rte", TSV, COLUMNS)
    pinned = settings.revision == GLUE_REVISION
    return Corpus(tuple(pieces), LABELS, cut=settings.cut, salt="rte", pinned=pinned)


RTE = Dataset(
    name="rte",
    about="2,767 pairs: does the text entail the sentence? (RTE1, 2, 3 and 5, as in GLUE)",
    source="https://gluebenchmark.com/tasks",
    settings=RteSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="not stated by its authors",
    citation="Dagan, Glickman and Magnini (2006), The PASCAL recognising entailment challenge",
)
