"""What a data set of texts is made of: files, what their columns mean, and which rows count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from harness_datasets.texts.layout import Columns, Layout
from harness_datasets.texts.reading import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from harness.api.data import DataRoom
    from harness.api.downloads import Download


class Origin(Protocol):
    """Where rows come from: a file, a folder, or a repository of the hub."""

    @property
    def where(self) -> str:
        """Its name for messages."""

    @property
    def local(self) -> bool:
        """Whether it can be read at any time, as when a suite is checked."""

    def fingerprint(self) -> str:
        """Identifies the bytes without reading rows; raises `HarnessError` where it cannot."""

    def downloads(self) -> Sequence[Download]:
        """What has to be fetched for it."""

    def stamp(self) -> str:
        """Changes when the bytes may have; cheap."""

    def columns(self, wanted: Sequence[Columns], room: DataRoom | None) -> pa.Table:
        """The wanted columns, called "0", "1", ...: as text, or float64 if they are floats.

        `room` is None for local ones.
        """


@dataclass(frozen=True)
class FileOrigin:
    """Rows in one file on disk."""

    path: Path
    layout: Layout

    @property
    def where(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def local(self) -> bool:
        """Files are there."""
        return True

    def fingerprint(self) -> str:
        """The hash of the bytes."""
        from harness_datasets.files import digest, located

        return digest(located(self.path))

    def downloads(self) -> Sequence[Download]:
        """Nothing."""
        return ()

    def stamp(self) -> str:
        """Size and time of change."""
        from harness_datasets.files import located

        stat = located(self.path).stat()
        return f"{stat.st_size} {stat.st_mtime_ns}"

    def columns(self, wanted: Sequence[Columns], _room: DataRoom | None) -> pa.Table:
        """Read them."""
        return read_columns(self.path, self.layout, wanted)


@dataclass(frozen=True)
class Meaning:
    """What columns mean: the texts by field, the label (None: no labels), the group.

    Or, in place of the label, a number to predict.
    """

    fields: tuple[tuple[str, Columns], ...]
    label: Columns | None = None
    group: Columns | None = None
    number: Columns | None = None

    @property
    def columns(self) -> tuple[Columns, ...]:
        """All that are read: fields, label, group, number."""
        more = (self.label, self.group, self.number)
        return (*(at for _, at in self.fields), *(at for at in more if at is not None))


@dataclass(frozen=True)
class Piece:
    """One split: its name, the kind of split, and its rows.

    `size` is known of pieces that lie elsewhere. `only` keeps the rows that have these values, as
    written, in these columns.
    """

    name: str
    kind: Literal["train", "id", "ood"]
    origin: Origin
    meaning: Meaning
    shift: str = ""
    parent: str = ""
    size: int | None = None
    only: tuple[tuple[Columns, str], ...] = ()

    @property
    def columns(self) -> tuple[Columns, ...]:
        """All that are read."""
        return (*self.meaning.columns, *(at for at, _ in self.only))


@dataclass(frozen=True)
class Rules:
    """Which rows count.

    Rows with a text that is empty (or only spaces) are refused, dropped or kept. Of rows with the
    same texts, label and group the first is kept where duplicates are dropped.
    """

    empty: Literal["refuse", "drop", "keep"] = "refuse"
    duplicates: Literal["keep", "drop"] = "keep"


@dataclass(frozen=True)
class Corpus:
    """A data set of texts.

    `labels` maps labels as written to classes, whose order is that of their first mention; rows
    of a label that maps to None are left out. Without it the classes are the labels of the training
    rows: whole numbers in their order, others in alphabetical order. `cut` are shares or numbers of
    training rows for splits of their own, cut by the fixed hash of `salt` and the row.
    `groups` are known where pieces lie elsewhere; their sizes are where they are `pinned` to the
    commit that the sizes are of, and no row is dropped.
    """

    pieces: tuple[Piece, ...]
    labels: tuple[tuple[str, str | None], ...] = ()
    rules: Rules = Rules()
    cut: tuple[tuple[str, float], ...] = ()
    salt: str = "text"
    groups: tuple[str, ...] = ()
    pinned: bool = True

    @property
    def sizes(self) -> dict[str, int | None]:
        """What is known of sizes without reading anything."""
        kept = self.rules.empty != "drop" and self.rules.duplicates == "keep"
        known = self.pinned and kept
        return {piece.name: piece.size if known else None for piece in self.pieces}

    @property
    def train(self) -> Piece | None:
        """The training piece; None for what can only be evaluated on."""
        return next((piece for piece in self.pieces if piece.kind == "train"), None)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the texts."""
        return tuple(name for name, _ in self.pieces[0].meaning.fields)

    @property
    def kind(self) -> Literal["classification", "regression", "language"]:
        """The task: rows have labels, numbers, or texts alone."""
        meaning = self.pieces[0].meaning
        if meaning.number is not None:
            return "regression"
        return "language" if meaning.label is None else "classification"
