"""Cells and work functions that cost nothing, for the tests of executors and of the schedule."""

import os
import signal
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.api.cells import (
    Cell,
    EvaluateWork,
    Seeds,
    SplitUse,
    Stage,
    TrainWork,
    Use,
)
from harness.api.contexts import Event, Job
from harness.api.results import CellRecord, Machine, Trained
from harness.store import Store
from harness_executors.jobs import run_job

MODEL = Use("model", "toy", "toy", {}, "0")
METHOD = Use("method", "toy", "toy", {}, "0")
DATASET = Use("dataset", "toy", "toy", {}, "0")
TRAIN = SplitUse("train", DATASET, "0", "train")


def training(
    key: str, *parents: str, stage: Stage = Stage.FINETUNE, procedure: str = "toy", seed: int = 0
) -> Cell:
    work = TrainWork(MODEL, METHOD, TRAIN, (), 8, "pretrained" if parents else "random")
    return Cell(key, stage, procedure, (Seeds(0, seed),), parents, work, steps=10)


def evaluation(key: str, parent: str) -> Cell:
    work = EvaluateWork(MODEL, TRAIN, SplitUse("test", DATASET, "0", "test"), ())
    return Cell(key, Stage.EVALUATE, "toy", (Seeds(0, 0),), (parent,), work)


def job(number: int, *keys: str) -> Job:
    return Job(number, tuple(training(key) for key in keys))


def work_by_key(job: Job, tell) -> None:
    """Does what the first word of each cell's key says."""
    for cell in job.cells:
        tell(Event("started", job.number, 0, cell.key))
        what, _, rest = cell.key.partition(" ")
        if what == "raise":
            print("these were its last words")  # noqa: T201
            raise ValueError(f"no good: {rest}")
        if what == "die":
            print("about to die", flush=True)  # noqa: T201
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "exit":
            os._exit(3)
        if what == "sleep":
            time.sleep(60)
        if what == "forget":
            continue
        if what == "unwind":
            try:
                Path(rest).write_text(str(os.getpid()))
                time.sleep(60)
            finally:
                Path(rest).unlink()
        if what == "env":
            tell(Event("progress", job.number, 0, text=os.environ.get(rest, "")))
        if what == "pid":
            tell(Event("progress", job.number, 0, text=str(os.getpid())))
        tell(Event("finished", job.number, 0, cell.key))


def work_on_threads(job: Job, tell) -> None:
    """Tells how many threads torch uses."""
    import torch

    for cell in job.cells:
        tell(Event("progress", job.number, 0, text=str(torch.get_num_threads())))
        tell(Event("finished", job.number, 0, cell.key))


def record(cell: Cell, *, diverged: bool = False) -> CellRecord:
    """What a cell that did nothing leaves behind."""
    machine = Machine(python="", packages={}, platform="", processor="", device="cpu", threads=1)
    trained = Trained(steps=0, examples_seen=0, loss_steps=[], losses=[])
    return CellRecord(
        key=cell.key,
        stage=cell.stage,
        identity={},
        parents=list(cell.parents),
        outcome="diverged" if diverged else "ok",
        result=trained,
        settings={},
        plugins=[],
        machine=machine,
        precision=cell.precision,
        smoke=False,
        started=datetime.now(UTC),
        wall_seconds=0.0,
        peak_bytes=0,
    )


@dataclass(frozen=True)
class StoringWork:
    """Stores a record for every cell; cells named in `fail` raise, those in `die` kill the worker.

    A worker dies at a cell as often as `deaths` says, counted by files in `notes`.
    """

    root: Path
    notes: Path
    fail: tuple[str, ...] = ()
    die: tuple[str, ...] = ()
    deaths: int = 1

    def __call__(self, job: Job, tell) -> None:
        if job.kind == "calibrate":
            tell(Event("done", job.number, 0, text="cuda", answer={"1": 1.0, "2": 0.5, "4": 0.1}))
            return
        for cell in job.cells:
            tell(Event("started", job.number, 0, cell.key))
            if cell.key in self.die and self._deaths(cell.key) < self.deaths:
                (self.notes / f"{cell.key}.{self._deaths(cell.key)}").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            if cell.key in self.fail:
                tell(Event("failed", job.number, 0, cell.key, "it was told to", "the log"))
                continue
            Store(self.root).write(record(cell), {})
            tell(Event("finished", job.number, 0, cell.key))

    def _deaths(self, key: str) -> int:
        return len(list(self.notes.glob(f"{key}.*")))


class PoolHere:
    """A pool of so many workers that runs a job when its news are asked for."""

    def __init__(self, work, workers: int = 2) -> None:
        self.workers = workers
        self.jobs: list[Job] = []
        self._work = work
        self._queue: deque[Job] = deque()
        self._events: deque[Event] = deque()

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        self._queue.append(job)

    def next(self, timeout: float) -> Event | None:
        if not self._events and self._queue:
            run_job(self._work, self._queue.popleft(), self._events.append)
        return self._events.popleft() if self._events else None

    def close(self, *, cancel: bool) -> None:
        pass
