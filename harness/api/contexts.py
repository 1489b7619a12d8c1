"""What the harness hands to a plugin's functions, and what an executor must give back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from harness.api.cells import Cell, Plan
from harness.api.data import InputSpec, Task
from harness.api.probes import Eigenvalues as Eigenvalues
from harness.api.probes import Evaluation as Evaluation
from harness.api.probes import Krylov as Krylov
from harness.api.probes import Probe as Probe
from harness.api.probes import Subject as Subject
from harness.api.probes import Weights as Weights

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Generator, Tensor

    from harness.api.results import CellRecord


@dataclass(frozen=True)
class BuildRoom:
    """What a model is built for.

    While `build` runs, torch's default CPU generator is seeded from the run's stream and put back
    afterwards, so layers may initialise themselves as usual; `generator` is the same stream for
    explicit draws.
    """

    task: Task
    inputs: Mapping[str, InputSpec]
    generator: Generator


class Draws(Protocol):
    """Random numbers for n examples, each a function of (stream, example, call) alone."""

    @property
    def examples(self) -> int:
        """Number of examples n."""

    def uniform(self, *shape: int) -> Tensor:
        """Uniform on [0, 1): float32 [n, *shape]."""

    def normal(self, *shape: int) -> Tensor:
        """Standard normal: float32 [n, *shape]."""

    def permutation(self, size: int) -> Tensor:
        """A permutation of range(size) per example: int64 [n, size]."""


@dataclass(frozen=True)
class Job:
    """Cells that one worker runs in one go (a pack): they share a model, data or end points.

    `kind` "calibrate" times pack sizes for the cells instead of running them. `calibration` holds
    such timings, if there are any, for the records of the cells. `workers` jobs run at a time.
    """

    number: int
    cells: tuple[Cell, ...]
    kind: Literal["run", "calibrate"] = "run"
    calibration: Mapping[str, float] = field(default_factory=dict)
    workers: int = 1


@dataclass(frozen=True)
class Event:
    """News of a job.

    "started" and "finished" name a cell, "failed" names it with the reason and the end of its log,
    "progress" carries a line for the display, "done" ends the job (`answer` for a calibration),
    "lost" says that the worker died and names the cell that it was running, if any. A failure is
    `final` where other cells would fare no better: results cannot be stored.
    """

    kind: Literal["started", "finished", "failed", "progress", "done", "lost"]
    job: int
    worker: int
    key: str = ""
    text: str = ""
    log: str = ""
    answer: Mapping[str, float] = field(default_factory=dict)
    final: bool = False


@dataclass(frozen=True)
class ExecutorRoom:
    """What an executor needs: the function that runs a job, and how many workers are wanted.

    `work(job, tell)` is importable and picklable; it reports through `tell` and raises only for
    bugs of its own. `workers` 0 means: as many as fit (one per core, or one per GPU). `preload`
    names modules that every worker will need. A pool that runs jobs in the calling thread hands
    each event to `hear` at once, where that is given, instead of keeping it for `next`.
    """

    work: Callable[[Job, Callable[[Event], None]], None]
    workers: int
    device: str
    preload: tuple[str, ...] = ()
    hear: Callable[[Event], None] | None = None


class Pool(Protocol):
    """Workers that run jobs. Used by one thread."""

    @property
    def workers(self) -> int:
        """How many jobs run at a time."""

    def submit(self, job: Job) -> None:
        """Queue a job; returns at once unless the pool is serial."""

    def next(self, timeout: float) -> Event | None:
        """The next event, or None after `timeout` seconds without one."""

    def close(self, *, cancel: bool) -> None:
        """End the workers: after the queued jobs, or at once (`cancel`)."""


@dataclass(frozen=True)
class WatchRoom:
    """What a watcher is told at first: the plan, and the suite's folder in the store.

    `finished()` reads what the store holds of the plan by now, also what was there before.
    """

    plan: Plan
    folder: Path
    finished: Callable[[], Iterable[tuple[Cell, CellRecord]]]


class Watch(Protocol):
    """Is told of cells as they are run; between these calls nothing is asked of it."""

    def started(self, cell: Cell) -> None:
        """A cell is about to run."""

    def finished(self, cell: Cell, record: CellRecord) -> None:
        """A cell has a result."""

    def close(self, *, interrupted: bool) -> None:
        """The run has ended, and `room.finished()` has all of it."""
