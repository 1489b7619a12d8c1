"""What a branch draws: from its run's streams up to a step, from its own after it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.api.cells import Cell, TrainWork
from harness.compute.streams import RunStreams

T = TypeVar("T")


def streams_of(cell: Cell) -> RunStreams:
    """What a training draws from: for a branch, the run's streams with those that it turns to."""
    streams = RunStreams.of(cell.seeds[0])
    if isinstance(cell.work, TrainWork) and cell.work.branch is not None:
        return streams.branched(cell.work.branch)
    return streams


def turn_of(runs: Sequence[RunStreams]) -> int | None:
    """After how many steps the runs of a pack leave their streams; None where they never do."""
    turns = {None if run.branch is None else run.branch[0] for run in runs}
    if len(turns) != 1:
        raise ValueError("the runs of a pack must branch at one step")
    return turns.pop()


def turned(runs: Sequence[RunStreams]) -> list[RunStreams]:
    """The streams that the runs of a pack turn to."""
    return [run if run.branch is None else run.branch[1] for run in runs]


def turning(
    runs: Sequence[RunStreams], made: Callable[[Sequence[RunStreams]], T]
) -> Callable[[int], T]:
    """The map from a step (1 is the first) to what is made of the streams that it draws from."""
    turn, before = turn_of(runs), made(runs)
    if turn is None:
        return lambda step: before
    after = made(turned(runs))
    return lambda step: before if step <= turn else after
