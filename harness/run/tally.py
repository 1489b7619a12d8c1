"""How far a run is, what its workers do, and how long the rest may take."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.api.cells import Cell, EvaluateWork, MeasureWork, PartWork, TrainWork
from harness.api.contexts import Event, Job

EVALUATION_STEPS = 5.0
MEASUREMENT_STEPS = 50.0
"""How many training steps such cells are taken for until the first ones have been timed."""


@dataclass
class Doing:
    """What a worker is at."""

    what: str
    text: str = ""


@dataclass
class Tally:
    """How far a run is, and how long the rest will take if steps of a stage take alike."""

    total: int
    todo: Iterable[Cell]
    workers: int = 1
    failed: int = 0
    blocked: int = 0
    doing: dict[int, Doing] = field(default_factory=dict)
    _jobs: dict[int, Job] = field(default_factory=dict)
    _begun: dict[int, float] = field(default_factory=dict)
    _left: dict[str, float] = field(default_factory=dict)
    _seconds: dict[str, float] = field(default_factory=dict)
    _timed: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.done = self.total
        for cell in self.todo:
            self.done -= 1
            self._left[cell.stage] = self._left.get(cell.stage, 0.0) + _steps(cell)

    def begin_job(self, job: Job) -> None:
        """Note a job that was handed over."""
        self._jobs[job.number] = job

    def hear(self, event: Event) -> None:
        """Note what a worker does."""
        job = self._jobs.get(event.job)
        if job is None:
            return
        if event.kind in ("done", "lost"):
            del self._jobs[event.job]
            self.doing.pop(event.worker, None)
            begun = self._begun.pop(event.job, None)
            if event.kind == "done" and job.kind == "run" and begun is not None:
                stage, steps = job.cells[0].stage, sum(_steps(cell) for cell in job.cells)
                self._seconds[stage] = self._seconds.get(stage, 0.0) + time.monotonic() - begun
                self._timed[stage] = self._timed.get(stage, 0.0) + steps
        elif event.kind == "started":
            # not when it was handed over: the first worker has to start and import torch first
            self._begun.setdefault(event.job, time.monotonic())
            cell = next((cell for cell in job.cells if cell.key == event.key), None)
            if cell is not None:
                self.doing[event.worker] = Doing(describe(cell, len(job.cells)))
        elif event.kind == "progress":
            calibrating = Doing(f"timing packs: {describe(job.cells[0])}")
            self.doing.setdefault(event.worker, calibrating).text = event.text

    def settled(self, cell: Cell) -> None:
        """One cell less to do."""
        self.done += 1
        self._left[cell.stage] -= _steps(cell)

    def remaining(self) -> float | None:
        """Seconds to go, or None before anything is known.

        Steps of stages that were not timed yet count as the mean of those that were.
        """
        timed = sum(self._timed.values())
        if timed == 0:
            return None
        mean = sum(self._seconds.values()) / timed
        seconds = 0.0
        for stage, steps in self._left.items():
            known = self._timed.get(stage)
            seconds += steps * (self._seconds[stage] / known if known else mean)
        return seconds / max(1, self.workers)

    def line(self) -> str:
        """How far the run is, in words."""
        parts = [f"{self.done:,} of {self.total:,} cells"]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.blocked:
            parts.append(f"{self.blocked:,} blocked")
        remaining = self.remaining()
        if remaining is not None:
            parts.append(f"about {clock(remaining)} left")
        return ", ".join(parts)


def _steps(cell: Cell) -> float:
    if isinstance(cell.work, TrainWork):
        return float(cell.steps or 1)
    return EVALUATION_STEPS if isinstance(cell.work, EvaluateWork) else MEASUREMENT_STEPS


def describe(cell: Cell, count: int = 1) -> str:
    """A cell in a few words; `count` cells of its job.

    >>> from harness.api.cells import Seeds, Stage
    >>> describe(Cell("k", Stage.FINETUNE, "random", (Seeds(2, 1),), (), None))  # type: ignore
    'finetune random seeds 2/1'
    """
    words = [cell.stage.value]
    if isinstance(cell.work, MeasureWork | PartWork):
        words.append(cell.work.metric.label)
    if cell.procedure:
        words.append(cell.procedure)
    each = (
        str(s.pretrain) if s.finetune is None else f"{s.pretrain}/{s.finetune}" for s in cell.seeds
    )
    seeds = list(dict.fromkeys(each))
    words.append(
        f"seed{'s' if len(seeds) > 1 or '/' in seeds[0] else ''} {' and '.join(seeds[:3])}"
    )
    if isinstance(cell.work, PartWork):
        words.append(f"{cell.work.part + 1} of {cell.work.whole.parts}")
    if isinstance(cell.work, EvaluateWork):
        words.append(f"on {cell.work.split.name}")
    if isinstance(cell.work, TrainWork) and cell.work.branch is not None:
        words.append(f"from step {cell.work.branch.step}")
    if count > 1:
        words.append(f"and {count - 1} more")
    return " ".join(words)


def clock(seconds: float) -> str:
    """A duration as people say it.

    >>> clock(4.2), clock(83), clock(7300)
    ('4 s', '1:23', '2:01 h')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
