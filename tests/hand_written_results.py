"""A made-up suite whose results are written by hand: nothing is ever trained."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from harness.api.cells import Cell, Plan
from harness.api.readings import Reading, Value
from harness.api.results import CellRecord, Failure, Machine, Scored, Trained
from harness.api.suites import Suite
from harness.plan import expand, identity_of
from harness.store import Store
from harness.suite import open_suite

PLUGIN = """
from harness.api.data import InputSpec, Outline, Task
from harness.api.hooks import hookimpl
from harness.api.networks import Network
from harness.api.offers import Dataset, Method, Metric, Model, Score
from harness.api.recipes import Phase, Recipe
from harness.api.settings import Settings, setting


class Width(Settings):
    width: int = setting(4, "units")


class Steps(Settings):
    steps: int = setting(10, "steps")


def build(settings, room):
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(6, settings.width)

        def forward(self, x):
            return self.head(x)

    return Network(Net(), head=("head.",))


def outline(settings):
    inputs = {"x": InputSpec((6,), kind="float")}
    return Outline(Task("classification", ("a", "b")), inputs, 100, {"test": 50})


def never(*_):
    raise AssertionError("nothing is run here")


@hookimpl
def harness_models():
    return [Model(name="line", about="A line.", settings=Width, build=build)]


@hookimpl
def harness_datasets():
    return [
        Dataset(
            name="toy",
            about="Toys.",
            outline=outline,
            fingerprint=lambda settings: "toys",
            load=never,
        )
    ]


@hookimpl
def harness_methods():
    recipe = lambda settings, outline: Recipe((Phase(steps=settings.steps),))
    return [Method(name="walk", about="Walk.", settings=Steps, recipe=recipe)]


@hookimpl
def harness_scores():
    return [
        Score(name="hits", about="Hits.", module=never, higher_is_better=True),
        Score(name="misses", about="Misses.", module=never, higher_is_better=False),
    ]


@hookimpl
def harness_metrics():
    return [Metric(name="gap", about="Gap.", measure=never, of="pair", access="ood-labels")]
"""

SUITE = """
id: made-up
version: "1"
title: Made up
plugins: [./toy_plugin.py]
model: {line: {width: 4}}
data: {dataset: toy, batch: 5}
inits: [random]
methods: [walk]
seeds: {pretrain: 2, finetune: 2}
scores: [hits]
metrics: [gap]
"""


def write_suite(folder: Path) -> str:
    """Write the suite and its plugin into the working folder; gives the suite's name."""
    (folder / "toy_plugin.py").write_text(PLUGIN)
    (folder / "made-up.yaml").write_text(SUITE)
    return "./made-up.yaml"


def plan_of(suite: str, *overrides: str) -> tuple[Suite, Plan]:
    checked, catalogue = open_suite(suite, overrides=overrides)
    return checked, expand(checked, catalogue)


def record_of(cell: Cell) -> CellRecord:
    results = {
        "finetune": Trained(steps=10, examples_seen=50, loss_steps=[10], losses=[0.5]),
        "evaluate": Scored(split="test", examples=50, unscorable=0, scores={"hits": 0.5}),
        "measure": Reading(values=(Value(name="gap", value=0.25),)),
    }
    return CellRecord(
        key=cell.key,
        stage=cell.stage,
        identity=identity_of(cell),
        parents=list(cell.parents),
        result=results[cell.stage],
        settings={},
        plugins=[],
        machine=Machine(python="", packages={}, platform="", processor="", device="cpu", threads=1),
        precision="float32",
        smoke=False,
        started=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        wall_seconds=2.0,
        peak_bytes=0,
    )


def finish(cells: Iterable[Cell]) -> None:
    for cell in cells:
        Store("runs").write(record_of(cell), {})


def fail(cell: Cell, reason: str = "out of memory") -> None:
    Store("runs").fail(
        Failure(
            key=cell.key,
            stage=cell.stage,
            reason=reason,
            log="boom",
            attempts=2,
            when=datetime(2026, 1, 1, tzinfo=UTC),
        )
    )
