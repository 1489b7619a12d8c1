"""MNLI: does a premise entail, contradict or leave open a hypothesis?"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.api.data import DataRoom, Outline, Splits
from harness.api.downloads import Download
from harness.api.errors import HarnessError
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.files import located
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, FileOrigin, Meaning, Origin, Piece, Rules
from harness_datasets.texts.hub_rows import HubOrigin
from harness_datasets.texts.layout import Layout
from harness_datasets.texts.published import Published

REPOSITORY = "nyu-mll/multi_nli"
REVISION = "da70db2af9d09693783c3320c4249840212ee221"
LABELS = (
    ("entailment", "entailment"),
    ("neutral", "neutral"),
    ("contradiction", "contradiction"),
    ("0", "entailment"),
    ("1", "neutral"),
    ("2", "contradiction"),
    ("-", None),
    ("-1", None),
)
"""The annotators did not agree on pairs labelled `-`; they are left out everywhere."""

COLUMNS = Meaning(
    fields=(("premise", ("sentence1", "premise")), ("hypothesis", ("sentence2", "hypothesis"))),
    label=("gold_label", "label"),
)
PUBLISHED = ("multinli_1.0_{}.jsonl", "{}.tsv", "{}.jsonl")
"""How files are called: as the authors have them, as GLUE has them."""


class MnliSettings(Published):
    """Where the pairs come from, and what is kept for choosing settings."""

    path: Path | None = setting(
        None, "folder multinli_1.0 or GLUE's MNLI, or a file with training pairs", identity=False
    )
    matched: Path | None = setting(None, "file of `matched`, if not in the folder", identity=False)
    mismatched: Path | None = setting(
        None, "file of `mismatched`, if not in the folder", identity=False
    )
    revision: str = setting(REVISION, f"commit of {REPOSITORY} on the hub", identity=False)
    empty: Literal["refuse", "drop", "keep"] = setting("refuse", "pairs with an empty text")
    duplicates: Literal["keep", "drop"] = setting(
        "keep", "pairs with the same texts and label as one before, within a file"
    )


def outline(settings: MnliSettings) -> Outline:
    """Sizes and classes."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: MnliSettings) -> str:
    """The hash of the files, or the pinned revision."""
    return loading.fingerprint(_corpus(settings))


def load(settings: MnliSettings, room: DataRoom) -> Splits:
    """Pairs; `val` leaves train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def downloads(settings: MnliSettings, _room: DataRoom) -> tuple[Download, ...]:
    """The hub's files, where they come from there."""
    return loading.downloads(_corpus(settings))


def _corpus(settings: MnliSettings) -> Corpus:
    pieces = _from_hub(settings) if settings.path is None else _from_files(settings.path, settings)
    rules = Rules(settings.empty, settings.duplicates)
    pinned = settings.revision == REVISION
    return Corpus(pieces, LABELS, rules, settings.cut, "mnli", pinned=pinned)


def _pieces(train: Piece, matched: Origin, mismatched: Origin | None) -> tuple[Piece, ...]:
    more = [Piece("matched", "id", matched, COLUMNS, size=9_815)]
    if mismatched is not None:
        more.append(Piece("mismatched", "ood", mismatched, COLUMNS, "genre", "matched", size=9_832))
    return (train, *more)


def _from_hub(settings: MnliSettings) -> tuple[Piece, ...]:
    def origin(split: str) -> HubOrigin:
        return HubOrigin(REPOSITORY, settings.revision, "data", split)

    train = Piece("train", "train", origin("train"), COLUMNS, size=392_702)
    return _pieces(train, origin("validation_matched"), origin("validation_mismatched"))


def _from_files(path: Path, settings: MnliSettings) -> tuple[Piece, ...]:
    """A folder has all three files; with a file the others are named, and mismatched may lack."""
    matched, mismatched = settings.matched, settings.mismatched
    if not path.expanduser().is_file():
        train = _found(path, "train")
        matched = matched or _found(path, "dev_matched")
        mismatched = mismatched or _found(path, "dev_mismatched")
    else:
        train = path
        if matched is None:
            message = "a file of training pairs needs evaluation pairs beside it"
            raise HarnessError(message, where=str(path), fix="name their file as `matched`")
    far = None if mismatched is None else FileOrigin(mismatched, _layout(mismatched))
    piece = Piece("train", "train", FileOrigin(train, _layout(train)), COLUMNS)
    return _pieces(piece, FileOrigin(matched, _layout(matched)), far)


def _found(folder: Path, split: str) -> Path:
    root = located(folder)
    names = [name.format(split) for name in PUBLISHED]
    found = [root / name for name in names if (root / name).exists()]
    if not found:
        raise HarnessError(f"none of {', '.join(names)} lies here", where=str(root))
    return found[0]


def _layout(path: Path) -> Layout:
    """Text files are tab-separated without quotes, as all of MultiNLI's are."""
    return Layout(format="tsv") if path.suffix == ".txt" else Layout()


MNLI = Dataset(
    name="mnli",
    about="412,349 pairs of ten genres: entailment, neutral or contradiction; five genres are OOD",
    source="https://cims.nyu.edu/~sbowman/multinli/",
    settings=MnliSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="OANC, CC BY 3.0, CC BY-SA 3.0 or public domain, by genre",
    citation="Williams, Nangia and Bowman (2018), A broad-coverage challenge corpus, NAACL",
)
