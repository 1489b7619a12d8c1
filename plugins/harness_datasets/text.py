"""Texts, or pairs of texts, in csv, tsv, jsonl or parquet files, with or without labels."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Literal

from pydantic import field_validator, model_validator

from harness.api.data import DataRoom, Outline, Splits
from harness.api.offers import Dataset
from harness.api.settings import Settings, setting
from harness_datasets.parts import once
from harness_datasets.table import OodFile
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, FileOrigin, Meaning, Piece, Rules
from harness_datasets.texts.reading import Column, Layout

TAKEN = ("label", "group", "row")


class TextSettings(Settings):
    """Which files, what their columns mean, and which rows count."""

    path: Path = setting(..., "file with the training rows", identity=False)
    text: Column | tuple[Column, ...] | dict[str, Column] = setting(
        "text", "column with the text; several, or `{premise: column, hypothesis: column}`"
    )
    label: Column | None = setting(None, "column with the label; without it the task is language")
    labels: dict[str, str | None] = setting(
        {}, "class of each label as written; rows of a label that maps to null are left out"
    )
    group: Column | None = setting(None, "column with each row's group")
    val: float = setting(0.0, "share (below 1) or number of training rows for `val`", ge=0)
    test: float = setting(0.0, "the same for `test`", ge=0)
    id: dict[str, Path] = setting({}, "in-domain files: name and path", identity=False)
    ood: dict[str, OodFile] = setting(
        {}, "OOD files: name and `{source: path, shift: kind, parent: split}`", identity=False
    )
    format: Literal["", "csv", "tsv", "jsonl", "parquet"] = setting("", "if not as the suffix says")
    separator: str = setting("", "between columns, if not `,` in csv and a tab in tsv")
    quoting: Literal["", "double", "none"] = setting("", "by default double in csv, none in tsv")
    header: bool = setting(
        True, "whether the first row names columns; else they are numbers from 1"
    )
    encoding: str = setting("utf-8", "of the files, as Python calls it")
    ragged: Literal["refuse", "drop"] = setting("refuse", "rows with too few or too many columns")
    empty: Literal["refuse", "drop", "keep"] = setting("refuse", "rows with an empty text")
    duplicates: Literal["keep", "drop"] = setting(
        "keep", "rows with the same texts, label and group as one before, within a file"
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            return codecs.lookup(value).name
        except LookupError:
            raise ValueError(f"no encoding is called {value!r}") from None

    @field_validator("separator")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if len(value.encode()) > 1:
            raise ValueError("the separator is one ASCII character")
        return value

    @model_validator(mode="after")
    def _agrees(self) -> TextSettings:
        cut = {"val": self.val, "test": self.test}
        once([*(name for name, share in cut.items() if share), *self.id, *self.ood])
        taken = [name for name, _ in _fields(self) if name in TAKEN]
        if taken:
            raise ValueError(
                f"a text cannot be called {taken[0]!r}; write `text: {{NAME: column}}`"
            )
        if not _fields(self):
            raise ValueError("`text` names no column")
        if self.labels and self.label is None:
            raise ValueError("`labels` needs the column `label`")
        return self


def outline(settings: TextSettings) -> Outline:
    """Sizes, classes and groups; the files are read for it, once per change."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: TextSettings) -> str:
    """The hash of all files, with the names of the splits that they are."""
    return loading.fingerprint(_corpus(settings))


def load(settings: TextSettings, room: DataRoom) -> Splits:
    """Texts as Arrow columns; `val` and `test` leave train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def _fields(settings: TextSettings) -> list[tuple[str, Column]]:
    """The fields with their columns: named as the columns are, or "text", "text2" for numbers."""
    text = settings.text
    if isinstance(text, dict):
        return list(text.items())
    columns = text if isinstance(text, tuple) else (text,)
    names = ["text" if place == 0 else f"text{place + 1}" for place in range(len(columns))]
    return [
        (column if isinstance(column, str) else name, column)
        for name, column in zip(names, columns, strict=True)
    ]


def _corpus(settings: TextSettings) -> Corpus:
    layout = Layout(
        format=settings.format,
        separator=settings.separator,
        quoting=settings.quoting,
        header=settings.header,
        encoding=settings.encoding,
        ragged=settings.ragged,
    )
    meaning = Meaning(tuple(_fields(settings)), settings.label, settings.group)

    def origin(path: Path) -> FileOrigin:
        return FileOrigin(path, layout)

    return Corpus(
        pieces=(
            Piece("train", "train", origin(settings.path), meaning),
            *(Piece(name, "id", origin(path), meaning) for name, path in settings.id.items()),
            *(
                Piece(name, "ood", origin(part.source), meaning, part.shift, part.parent)
                for name, part in settings.ood.items()
            ),
        ),
        labels=tuple(settings.labels.items()),
        rules=Rules(settings.empty, settings.duplicates),
        cut=tuple((n, s) for n, s in {"val": settings.val, "test": settings.test}.items() if s),
    )


TEXT = Dataset(
    name="text",
    about="texts or pairs of texts in csv, tsv, jsonl or parquet files, with or without labels",
    settings=TextSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
)
