"""Data sets that are a download from the hub, or files as their authors publish them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from harness.api.settings import Settings, setting
from harness_datasets.texts.corpus import FileOrigin, Meaning, Piece
from harness_datasets.texts.hub_rows import HubOrigin
from harness_datasets.texts.layout import Layout

GLUE = "nyu-mll/glue"
GLUE_REVISION = "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c"
TSV = Layout(format="tsv")
TABS = Layout(format="tsv", ragged="drop")
"""GLUE's tsv files: no quoting, and some rows of QQP have lost a column."""


class Published(Settings):
    """Where a published data set comes from."""

    path: Path | None = setting(None, "the published files", identity=False)
    source: Literal["path", "hub"] | None = setting(
        None, "`path` where one is given, else `hub`", identity=False
    )
    revision: str = setting(GLUE_REVISION, f"commit of {GLUE} on the hub", identity=False)
    val: float = setting(0.0, "share (below 1) or number of training rows for `val`", ge=0)

    @model_validator(mode="after")
    def _path_where_needed(self) -> Published:
        if self.source is not None and (self.source == "path") != (self.path is not None):
            raise ValueError("`source: path` and a `path` go together")
        return self

    @property
    def cut(self) -> tuple[tuple[str, float], ...]:
        """The share of `val`, if any."""
        return (("val", self.val),) if self.val else ()


def train_and_dev(settings: Published, task: str, layout: Layout, meaning: Meaning) -> list[Piece]:
    """Train and dev of a GLUE task, whose files are `train.tsv` and `dev.tsv`."""
    train, dev = SIZES[task]
    if settings.path is None:
        return [
            Piece("train", "train", glue(settings, task, "train"), meaning, size=train),
            Piece("dev", "id", glue(settings, task, "validation"), meaning, size=dev),
        ]
    return [
        Piece("train", "train", FileOrigin(settings.path / "train.tsv", layout), meaning),
        Piece("dev", "id", FileOrigin(settings.path / "dev.tsv", layout), meaning),
    ]


def glue(settings: Published, task: str, split: str) -> HubOrigin:
    """A split of a GLUE task on the hub."""
    return HubOrigin(GLUE, settings.revision, task, split)


SIZES = {  # train and validation, as GLUE's card on the hub has them
    "cola": (8_551, 1_043),
    "qqp": (363_846, 40_430),
    "rte": (2_490, 277),
    "sst2": (67_349, 872),
}
