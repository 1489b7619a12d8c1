"""CoLA: is a sentence acceptable English? Its out-of-domain part is from other textbooks."""

from __future__ import annotations

from pathlib import Path

from harness.api.data import DataRoom, Outline, Splits
from harness.api.offers import Dataset
from harness.api.settings import Settings, setting
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, FileOrigin, Meaning, Piece
from harness_datasets.texts.reading import Layout

LABELS = (("0", "unacceptable"), ("1", "acceptable"))
RAW = Layout(format="tsv", header=False)
MEANING = Meaning(fields=(("sentence", 4),), label=2)


class ColaSettings(Settings):
    """Where the files lie, and what is kept for choosing settings."""

    path: Path = setting(..., "folder `raw` of the published archive", identity=False)
    val: float = setting(0.0, "share (below 1) or number of training sentences for `val`", ge=0)


def outline(settings: ColaSettings) -> Outline:
    """Sizes and classes."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: ColaSettings) -> str:
    """The hash of the files."""
    return loading.fingerprint(_corpus(settings))


def load(settings: ColaSettings, room: DataRoom) -> Splits:
    """Sentences; `val` leaves train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def _corpus(settings: ColaSettings) -> Corpus:
    def origin(name: str) -> FileOrigin:
        return FileOrigin(settings.path / f"{name}.tsv", RAW)

    return Corpus(
        pieces=(
            Piece("train", "train", origin("in_domain_train"), MEANING),
            Piece("dev", "id", origin("in_domain_dev"), MEANING),
            Piece("out-of-domain", "ood", origin("out_of_domain_dev"), MEANING, "domain", "dev"),
        ),
        labels=LABELS,
        cut=(("val", settings.val),) if settings.val else (),
        salt="cola",
    )


COLA = Dataset(
    name="cola",
    about="10,594 English sentences, acceptable or not; out-of-domain: other textbooks",
    source="https://nyu-mll.github.io/CoLA/",
    settings=ColaSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    license="none stated; excerpts of published works, for research under US fair use",
    citation="Warstadt, Singh and Bowman (2019), Neural network acceptability judgments, TACL 7",
)
