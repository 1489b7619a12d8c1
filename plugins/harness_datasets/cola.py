"""CoLA: is a sentence acceptable English? Its out-of-domain part is from other publications."""

from __future__ import annotations

from pathlib import Path

from harness.api.data import DataRoom, Outline, Splits
from harness.api.downloads import Download
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, FileOrigin, Meaning, Piece
from harness_datasets.texts.layout import Layout
from harness_datasets.texts.published import GLUE_REVISION, SIZES, Published, glue

LABELS = (("0", "unacceptable"), ("1", "acceptable"))
RAW = Layout(format="tsv", header=False)
RAW_COLUMNS = Meaning(fields=(("sentence", 4),), label=2)
HUB_COLUMNS = Meaning(fields=(("sentence", "sentence"),), label="label")


class ColaSettings(Published):
    """Where the sentences come from, and what is kept for choosing settings."""

    path: Path | None = setting(None, "folder `raw` of the published archive", identity=False)


def outline(settings: ColaSettings) -> Outline:
    """Sizes and classes."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: ColaSettings) -> str:
    """The hash of the files, or the pinned revision."""
    return loading.fingerprint(_corpus(settings))


def load(settings: ColaSettings, room: DataRoom) -> Splits:
    """Sentences; `val` leaves train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def downloads(settings: ColaSettings, _room: DataRoom) -> tuple[Download, ...]:
    """The hub's files, where they come from there."""
    return loading.downloads(_corpus(settings))


def _corpus(settings: ColaSettings) -> Corpus:
    pieces = _from_hub(settings) if settings.path is None else _from_files(settings.path)
    pinned = settings.revision == GLUE_REVISION
    return Corpus(pieces, LABELS, cut=settings.cut, salt="cola", pinned=pinned)


def _from_files(folder: Path) -> tuple[Piece, ...]:
    def origin(name: str) -> FileOrigin:
        return FileOrigin(folder / f"{name}.tsv", RAW)

    return (
        Piece("train", "train", origin("in_domain_train"), RAW_COLUMNS),
        Piece("dev", "id", origin("in_domain_dev"), RAW_COLUMNS),
        Piece("out-of-domain", "ood", origin("out_of_domain_dev"), RAW_COLUMNS, "domain", "dev"),
    )


def _from_hub(settings: ColaSettings) -> tuple[Piece, ...]:
    """GLUE's dev set is both parts together, so it is called so, and nothing is OOD."""
    train, dev = SIZES["cola"]
    return (
        Piece("train", "train", glue(settings, "cola", "train"), HUB_COLUMNS, size=train),
        Piece("mixed-dev", "id", glue(settings, "cola", "validation"), HUB_COLUMNS, size=dev),
    )


COLA = Dataset(
    name="cola",
    about="9,594 English sentences, acceptable or not; out-of-domain: of other publications",
    source="https://nyu-mll.github.io/CoLA/",
    settings=ColaSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="none stated; excerpts of published works, for research under US fair use",
    citation="Warstadt, Singh and Bowman (2019), Neural network acceptability judgments, TACL 7",
)
