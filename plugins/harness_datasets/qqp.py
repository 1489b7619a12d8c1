"""QQP: do two questions ask the same?"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.api.data import DataRoom, Outline, Splits
from harness.api.downloads import Download
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, FileOrigin, Meaning, Piece, Rules
from harness_datasets.texts.layout import Layout
from harness_datasets.texts.published import GLUE_REVISION, TABS, Published, train_and_dev

LABELS = (("0", "not-duplicate"), ("1", "duplicate"))
FIELDS = (("question1", "question1"), ("question2", "question2"))
COLUMNS = Meaning(FIELDS, label=("is_duplicate", "label"))
QUORA = Layout(format="tsv", quoting="double")
"""The file that Quora published, `quora_duplicate_questions.tsv`; it has no splits."""


class QqpSettings(Published):
    """Where the pairs of questions come from, and what is kept for choosing settings."""

    path: Path | None = setting(
        None, "folder with GLUE's train.tsv and dev.tsv, or Quora's own file", identity=False
    )
    test: float = setting(0.0, "share or number of rows for `test`; for Quora's own file", ge=0)
    empty: Literal["refuse", "drop", "keep"] = setting(
        "keep", "pairs with an empty question, of which there are a few"
    )


def outline(settings: QqpSettings) -> Outline:
    """Sizes and classes."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: QqpSettings) -> str:
    """The hash of the files, or the pinned revision."""
    return loading.fingerprint(_corpus(settings))


def load(settings: QqpSettings, room: DataRoom) -> Splits:
    """Pairs of questions; `val` leaves train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def downloads(settings: QqpSettings, _room: DataRoom) -> tuple[Download, ...]:
    """The hub's files, where they come from there."""
    return loading.downloads(_corpus(settings))


def _corpus(settings: QqpSettings) -> Corpus:
    cut = (*settings.cut, *((("test", settings.test),) if settings.test else ()))
    pinned = settings.revision == GLUE_REVISION
    return Corpus(_pieces(settings), LABELS, Rules(settings.empty), cut, "qqp", pinned=pinned)


def _pieces(settings: QqpSettings) -> tuple[Piece, ...]:
    if settings.path is not None and settings.path.expanduser().is_file():
        return (Piece("train", "train", FileOrigin(settings.path, QUORA), COLUMNS),)
    return tuple(train_and_dev(settings, "qqp", TABS, COLUMNS))


QQP = Dataset(
    name="qqp",
    about="404,276 pairs of questions from Quora: do they ask the same? (GLUE)",
    source="https://quoradata.quora.com/First-Quora-Dataset-Release-Question-Pairs",
    settings=QqpSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="Quora's terms of service: non-commercial use",
    citation="Iyer, Dandekar and Csernai (2017), First Quora dataset release: question pairs",
)
