"""A finished cell made by hand."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.api.cells import Cell, Seeds, SplitUse, Stage, TrainWork, Use
from harness.api.results import CellRecord, Failure, Machine, Trained


def cell_of(key: str) -> Cell:
    use = Use("model", "cnn", "cnn", {}, "0")
    train = SplitUse("train", Use("dataset", "digits", "digits", {}, "0"), "bytes", "train")
    work = TrainWork(use, Use("method", "full", "full", {}, "0"), train, (), 64, "random")
    return Cell(key, Stage(key.partition("-")[0]), "random", (Seeds(0, 0),), (), work)


def record_of(key: str, **changes: Any) -> CellRecord:
    machine = Machine(
        python="3.11", packages={}, platform="x", processor="x", device="cpu", threads=1
    )
    fields: dict[str, Any] = {
        "key": key,
        "stage": key.partition("-")[0],
        "identity": {"stage": key.partition("-")[0]},
        "parents": [],
        "result": Trained(steps=1, examples_seen=64, loss_steps=[1], losses=[float("nan")]),
        "settings": {},
        "plugins": [],
        "machine": machine,
        "precision": "float32",
        "smoke": False,
        "started": datetime(2026, 1, 1, tzinfo=UTC),
        "wall_seconds": 1.5,
        "peak_bytes": 10,
    }
    return CellRecord(**(fields | changes))


@pytest.fixture
def cell() -> Callable[[str], Cell]:
    """Makes a cell of a key."""
    return cell_of


@pytest.fixture
def record() -> Callable[..., CellRecord]:
    """Makes the record of a key, with changes."""
    return record_of


@pytest.fixture
def failure() -> Callable[..., Failure]:
    """Makes the failure of a key, with changes."""

    def make(key: str, **changes: Any) -> Failure:
        fields: dict[str, Any] = {
            "key": key,
            "stage": key.partition("-")[0],
            "reason": "boom",
            "log": "",
            "attempts": 1,
            "when": datetime(2026, 1, 1, tzinfo=UTC),
        }
        return Failure(**(fields | changes))

    return make
