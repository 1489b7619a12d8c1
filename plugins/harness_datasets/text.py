"""Texts, or pairs of texts, in csv, tsv, jsonl or parquet files, with or without labels."""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import field_validator, model_validator

from harness.api.data import DataRoom, Outline, Splits
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.parts import once
from harness_datasets.table import OodFile
from harness_datasets.texts import loading
from harness_datasets.texts.choosing import Choosing
from harness_datasets.texts.corpus import Corpus, FileOrigin, Piece
from harness_datasets.texts.layout import Layout


class TextSettings(Choosing):
    """Which files, and how they are written."""

    path: Path = setting(..., "file with the training rows", identity=False)
    id: dict[str, Path] = setting({}, "further in-domain files: name and path", identity=False)
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
    def _names_once(self) -> TextSettings:
        once([*(name for name, _ in self.cut), *self.id, *self.ood])
        return self


def outline(settings: TextSettings) -> Outline:
    """Sizes, classes and groups; the files are read for it, once per change."""
    corpus = _corpus(settings)
    return replace(loading.outline(corpus), notes=loading.notes(corpus))


def fingerprint(settings: TextSettings) -> str:
    """The hash of all files, with the names of the splits that they are."""
    return loading.fingerprint(_corpus(settings))


def load(settings: TextSettings, room: DataRoom) -> Splits:
    """Texts as Arrow columns; `val` and `test` leave train by a fixed hash of the row."""
    return loading.load(_corpus(settings), room)


def _corpus(settings: TextSettings) -> Corpus:
    layout = Layout(
        format=settings.format,
        separator=settings.separator,
        quoting=settings.quoting,
        header=settings.header,
        encoding=settings.encoding,
        ragged=settings.ragged,
    )
    meaning = settings.meaning

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
        rules=settings.rules,
        cut=settings.cut,
    )


TEXT = Dataset(
    name="text",
    about="texts or pairs of texts in csv, tsv, jsonl or parquet files, with or without labels",
    settings=TextSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
)
