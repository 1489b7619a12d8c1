"""The whole contract between the harness and its plugins.

A plugin is a module or an object announced under the entry-point group `harness`. It implements
any of these hooks with `@hookimpl`. Each takes nothing and returns an iterable of frozen offers
(`harness.api.offers`); the two watchers at the end are told what happens and return nothing.
Hooks, fields and arguments are only ever added. None is `firstresult` and none may be wrapped: a
number must never depend on who was asked first.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from harness.api.cells import Cell
from harness.api.offers import (
    Command,
    Dataset,
    Executor,
    Method,
    Metric,
    Model,
    Reporter,
    Score,
    Shift,
    Watcher,
)
from harness.api.results import CellRecord

PROJECT = "harness"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def harness_models() -> Iterable[Model]:  # type: ignore[empty-body]
    """Networks that a suite can train."""


@hookspec
def harness_datasets() -> Iterable[Dataset]:  # type: ignore[empty-body]
    """Examples with in-domain and OOD splits."""


@hookspec
def harness_shifts() -> Iterable[Shift]:  # type: ignore[empty-body]
    """Transformations that make an OOD split out of an in-domain one, or augment training."""


@hookspec
def harness_methods() -> Iterable[Method]:  # type: ignore[empty-body]
    """Ways of training (and of merging) that a suite can compare."""


@hookspec
def harness_scores() -> Iterable[Score]:  # type: ignore[empty-body]
    """Performance numbers computed from predictions."""


@hookspec
def harness_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Loss-landscape metrics of a point, a pair, a group or a trajectory."""


@hookspec
def harness_executors() -> Iterable[Executor]:  # type: ignore[empty-body]
    """Places where cells run."""


@hookspec
def harness_reporters() -> Iterable[Reporter]:  # type: ignore[empty-body]
    """Forms that the findings can be written in."""


@hookspec
def harness_watchers() -> Iterable[Watcher]:  # type: ignore[empty-body]
    """Trackers that are told of cells where a user asks for them by name."""


@hookspec
def harness_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Sub-commands of `seedscape`."""


@hookspec
def harness_cell_started(cell: Cell) -> None:
    """A cell is about to run (told in the process that schedules)."""


@hookspec
def harness_cell_finished(cell: Cell, record: CellRecord) -> None:
    """A cell has ended; `record.outcome` says how (told in the process that schedules)."""
