"""A finished run looked into: what its recipe said, and its training once more, step by step."""

from dataclasses import dataclass, replace
from math import inf

import torch
from torch import Tensor

from harness.api.cells import Cell, MeasureWork, TrainWork
from harness.api.contexts import Weights
from harness.api.errors import HarnessError
from harness.api.results import Trained
from harness.api.trajectories import Trace, TrainedPhase, TrainingFacts
from harness.compute.workbench import Workbench
from harness.train.alone import Alone
from harness.train.batches import Batches
from harness.train.course import Course, Stretch, course_of
from harness.train.loop import train
from harness.train.recorded import recorded_cell
from harness.train.recorder import QUANTITIES, Book, Recorder
from harness.train.schedule import multiplier
from harness.train.start import starting_weights
from harness.train.turning import streams_of


@dataclass(frozen=True)
class Replays:
    """Looks into trained runs by key; `work` says how their network is built."""

    bench: Workbench
    work: MeasureWork

    def facts(self, key: str) -> TrainingFacts:
        """What the run's recipe says, resolved."""
        course = course_of(self._cell(key), self.bench)
        return TrainingFacts(
            phases=tuple(_phase(stretch, course) for stretch in course.stretches),
            examples=len(course.split),
            diverged_at=self._trained(key).diverged_at,
        )

    def replay(self, key: str) -> Trace:
        """The run trained again, by itself, from its own start with its own streams.

        Bit-equal to the first time where that was on a CPU and by itself too.
        """
        cell = self._cell(key)
        course = replace(course_of(cell, self.bench), checkpoints=())
        start = self._start(cell, course)
        streams = streams_of(cell)
        recorder = Recorder(Alone(course, start, streams))
        with torch.enable_grad():
            trail = train(course, recorder, Batches(course, [streams], stacked=False), _unheard)
        final = recorder.weights()[0]
        diverged = trail.log.diverged[0]
        if diverged is None and not all(bool(torch.isfinite(t).all()) for t in final.values()):
            diverged = course.steps if self._trained(key).diverged_at else None
        taken = _finite(recorder.book)
        return replace(
            _trace(recorder.book, taken),
            examples_seen=course.examples_seen(len(recorder.book.losses)),
            diverged_at=diverged,
            drift=self._drift(key, diverged, final, start),
        )

    def _cell(self, key: str) -> Cell:
        return recorded_cell(self.bench.store.read(key), self.work)

    def _trained(self, key: str) -> Trained:
        result = self.bench.store.read(key).result
        assert isinstance(result, Trained)  # `_cell` has looked
        return result

    def _start(self, cell: Cell, course: Course) -> Weights:
        work = cell.work
        assert isinstance(work, TrainWork)
        if work.init != "checkpoint":
            return starting_weights(cell, course, self.bench)
        if 0 in self._trained(cell.key).checkpoints:
            return self.bench.weights(cell.key, "checkpoint-0")
        raise HarnessError(
            f"the run {cell.key} cannot be trained again: it started from a file of weights, and "
            "did not keep its step 0",
            fix="set `checkpoints: log` in the method",
        )

    def _drift(
        self, key: str, diverged: int | None, final: dict[str, Tensor], start: Weights
    ) -> float:
        """How far the end lies from the stored one, as a part of the way travelled."""
        before = self._trained(key).diverged_at
        if diverged is not None or before is not None:
            return 0.0 if diverged == before else inf
        stored = self.bench.weights(key)
        away, way = _distance(final, stored), _distance(start, stored)
        return away / way if away and way else (inf if away else 0.0)


def _unheard(line: str) -> None:
    pass


def _phase(stretch: Stretch, course: Course) -> TrainedPhase:
    phase = stretch.phase
    rates = (multiplier(phase.schedule, place, stretch.steps) for place in range(stretch.steps))
    return TrainedPhase(
        optimizer=phase.optimizer,
        batch=min(stretch.batch, len(course.split)),
        rates=tuple(phase.optimizer.lr * rate for rate in rates),
        clip=phase.clip,
    )


def _finite(book: Book) -> int:
    """How many steps there were before a loss that was not finite."""
    if not book.losses:
        return 0
    finite = torch.isfinite(torch.stack(book.losses).cpu())
    return len(finite) if bool(finite.all()) else int(finite.long().argmin())


def _trace(book: Book, steps: int) -> Trace:
    names = dict.fromkeys(name for row in book.tensors[:steps] for name in row)
    columns = {name: book.column(name, steps) for name in names}
    squares, rms, updates = (
        {name: column[:, place] for name, column in columns.items()}
        for place in range(len(QUANTITIES))
    )
    return Trace(
        loss=_wide(book.losses[:steps]),
        rate=torch.tensor(book.rates[:steps], dtype=torch.float64),
        gradient_norm=_wide(book.norms[:steps]),
        squares=squares,
        rms=rms,
        updates=updates,
    )


def _wide(numbers: list[Tensor]) -> Tensor:
    return torch.stack(numbers).cpu().double() if numbers else torch.zeros(0).double()


def _distance(one: Weights, other: Weights) -> float:
    squares = sum(
        float((tensor.cpu().double() - other[name].cpu().double()).square().sum())
        for name, tensor in one.items()
        if tensor.is_floating_point()
    )
    return float(squares**0.5)
