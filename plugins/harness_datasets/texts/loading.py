"""The three functions of a data set of texts: outline, fingerprint, load."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.api.data import DataRoom, InputSpec, OodOutline, Outline, Split, Splits, Task
from harness.api.downloads import Download
from harness.api.errors import HarnessError
from harness_datasets import splitting
from harness_datasets.labels import must_be_several
from harness_datasets.texts.corpus import Corpus, Origin, Piece
from harness_datasets.texts.layout import Columns
from harness_datasets.texts.rows import Rows, in_order, rows_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


MOST_CLASSES = 1000


@dataclass(frozen=True)
class _Contents:
    """What is told of a corpus before it is loaded."""

    sizes: tuple[tuple[str, int | None], ...]
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    notes: tuple[str, ...] = ()


def outline(corpus: Corpus) -> Outline:
    """Sizes, classes and groups. Files are read for it, whose faults are so found; once per change.

    Of what lies elsewhere only what the corpus itself knows is told.
    """
    stamps = tuple(piece.origin.stamp() for piece in corpus.pieces)
    told = _contents(corpus, stamps)
    sizes = dict(told.sizes)
    train = sizes.pop("train", 0)
    ood = [piece for piece in corpus.pieces if piece.kind == "ood"]
    return Outline(
        task=Task(corpus.kind, told.classes),
        inputs={"text": InputSpec((), "text", fields=corpus.fields)},
        train=train,
        id={name: size for name, size in sizes.items() if name not in {p.name for p in ood}},
        ood={p.name: OodOutline(p.shift, p.parent, sizes[p.name]) for p in ood},
        groups=told.groups,
    )


def notes(corpus: Corpus) -> tuple[str, ...]:
    """What is strange and yet no fault: labels that no row has, classes without training rows."""
    return _contents(corpus, tuple(piece.origin.stamp() for piece in corpus.pieces)).notes


def fingerprint(corpus: Corpus) -> str:
    """The hash of the bytes of all pieces, with the names of the splits that they are."""
    lines = [f"{piece.name} {piece.origin.fingerprint()}" for piece in corpus.pieces]
    return "sha256:" + hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def downloads(corpus: Corpus) -> tuple[Download, ...]:
    """What has to be fetched for it, each once."""
    found = [each for piece in corpus.pieces for each in piece.origin.downloads()]
    return tuple({each.name: each for each in found}.values())


def load(corpus: Corpus, room: DataRoom) -> Splits:
    """Texts as Arrow columns; cut splits leave train by a fixed hash of the row."""
    rows = _read(corpus, room)
    classes, groups = _classes(corpus, rows), _groups(corpus, rows)
    found = {name: _split(each, classes, groups) for name, each in rows.items()}
    id_names = [piece.name for piece in corpus.pieces if piece.kind == "id"]
    train = found.get("train")
    cut: dict[str, Split] = {}
    if train is None:
        train = _taken(next(iter(found.values())), slice(0, 0))
    elif corpus.cut:
        strata = train.targets.long() if corpus.kind != "regression" else train.targets.long() * 0
        sizes = _cut_sizes(corpus, len(train.targets))
        parts = splitting.stratified(strata.numpy(), sizes, corpus.salt)
        cut = {name: _taken(train, where) for name, where in parts.items()}
        train = cut.pop("train")
    ood = {piece.name: found[piece.name] for piece in corpus.pieces if piece.kind == "ood"}
    return Splits(train, {**cut, **{name: found[name] for name in id_names}}, ood)


@functools.lru_cache(maxsize=64)  # a suite asks for the same files once per split
def _contents(corpus: Corpus, _stamps: tuple[str, ...]) -> _Contents:
    sizes = corpus.sizes
    strange: tuple[str, ...] = ()
    if all(piece.origin.local for piece in corpus.pieces):
        rows = _read(corpus, None)
        sizes |= {name: each.size for name, each in rows.items()}
        classes, groups = _classes(corpus, rows), _groups(corpus, rows)
        strange = _strange(corpus, classes, rows)
    else:
        known = dict.fromkeys(name for _, name in corpus.labels if name is not None)
        classes, groups = tuple(known), corpus.groups
    train = sizes.get("train")
    cut = {} if train is None else _cut_sizes(corpus, train)
    told = {name: cut.get(name) for name, _ in corpus.cut}
    if train is not None:
        sizes["train"] = train - sum(cut.values())
    return _Contents((*told.items(), *sizes.items()), classes, groups, strange)


def _strange(corpus: Corpus, classes: tuple[str, ...], rows: Mapping[str, Rows]) -> tuple[str, ...]:
    written = frozenset[str]().union(*(each.written for each in rows.values()))
    found = [
        f"`labels` names {label!r}, which no row has"
        for label, _ in corpus.labels
        if label not in written
    ]
    if corpus.labels and "train" in rows:
        trained = set(rows["train"].distinct("label"))
        found += [f"no training row has the class {c!r}" for c in classes if c not in trained]
    return tuple(found)


def _read(corpus: Corpus, room: DataRoom | None) -> dict[str, Rows]:
    """The rows of every piece; what several are made of is read once."""
    wanted: dict[Origin, dict[Columns, None]] = {}
    for piece in corpus.pieces:
        wanted.setdefault(piece.origin, {}).update(dict.fromkeys(piece.columns))
    tables = {origin: origin.columns(list(columns), room) for origin, columns in wanted.items()}

    def rows(piece: Piece) -> Rows:
        places = list(wanted[piece.origin])
        columns = [str(places.index(each)) for each in piece.columns]
        return rows_of(piece, corpus, tables[piece.origin].select(columns))

    return {piece.name: rows(piece) for piece in corpus.pieces}


def _classes(corpus: Corpus, rows: Mapping[str, Rows]) -> tuple[str, ...]:
    """The classes; every label of every split is one of them."""
    if corpus.kind == "language":
        return ()
    if corpus.kind == "regression":
        return (str(corpus.pieces[0].meaning.number),)
    if corpus.labels:
        known = tuple(dict.fromkeys(name for _, name in corpus.labels if name is not None))
        must_be_several(known, "`labels`", corpus.pieces[0].origin.where)
        return known
    first, *others = rows.values()
    classes = in_order(first.distinct("label"))
    column = corpus.pieces[0].meaning.label
    must_be_several(classes, f"the column {column!r}", first.where)
    if len(classes) > MOST_CLASSES:
        message = f"there are {len(classes):,} different labels"
        raise HarnessError(message, where=first.where, fix="is this the column of labels?")
    bare: dict[str, str] = {}
    for name in classes:
        if bare.setdefault(name.strip(), name) != name:
            message = f"the labels {bare[name.strip()]!r} and {name!r} differ in spaces alone"
            fix = "map both to one class with `labels`"
            raise HarnessError(message, where=first.where, fix=fix)
    for each in others:
        each.must_know("label", classes)
    return classes


def _groups(corpus: Corpus, rows: Mapping[str, Rows]) -> tuple[str, ...]:
    """The groups of all splits together: evaluation files may have groups of their own."""
    grouped = [each for each in rows.values() if "group" in each.table.column_names]
    return in_order([name for each in grouped for name in each.distinct("group")])


def _cut_sizes(corpus: Corpus, train: int) -> dict[str, int]:
    return {name: n for name, n in splitting.sizes(train, dict(corpus.cut)).items() if n}


def _split(rows: Rows, classes: tuple[str, ...], groups: tuple[str, ...]) -> Split:
    import torch

    from harness.api.texts import Texts

    columns = rows.table.column_names
    fields = [name for name in columns if name not in ("label", "group", "number", "row")]
    targets = torch.zeros(rows.size, dtype=torch.int64)
    if "label" in columns:
        targets = torch.from_numpy(rows.places("label", classes))
    elif "number" in columns:
        targets = torch.tensor(rows.table["number"].to_numpy(), dtype=torch.float32)
    return Split(
        inputs={"text": Texts({name: rows.table[name] for name in fields})},
        targets=targets,
        groups=torch.from_numpy(rows.places("group", groups)) if "group" in columns else None,
    )


def _taken(split: Split, where: Any) -> Split:  # a slice or indices, which tensors take alike
    import torch

    from harness.api.texts import Texts

    texts = split.inputs["text"]
    assert isinstance(texts, Texts)
    places = torch.arange(len(split.targets))[where]
    return Split(
        inputs={"text": texts.taken(places)},
        targets=split.targets[places],
        groups=None if split.groups is None else split.groups[places],
    )
