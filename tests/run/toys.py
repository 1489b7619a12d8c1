"""Cells and work functions that cost nothing, for the tests of executors and of the schedule."""

import os
import signal
import time
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
