"""Which pack size is fastest here: a few timed steps of each."""

import math
import time
from collections.abc import Sequence

import torch

from harness.api.cells import Cell
from harness.compute.device import autocast
from harness.compute.streams import RunStreams
from harness.compute.workbench import Workbench
from harness.train.alone import Alone
from harness.train.batches import Batches
from harness.train.course import Course, course_of
from harness.train.stack import Stack
from harness.train.start import drawn_weights

BUDGET = 2.0  # seconds for all sizes together
SHARE = 0.3  # seconds for one size
HOPELESS = 1.5  # a size this much slower per seed than the best ends the search


def calibrate(cells: Sequence[Cell], bench: Workbench, workers: int) -> dict[str, float]:
    """Seconds per step and seed for pack sizes 1, 2, 4, 8, ..., as `{"1": ..., "2": ...}`.

    The cells are all those that could be packed. No size is tried that would leave one of the
    `workers` without a pack, or that would not fit into the device's memory; where a stack fails,
    none larger is tried. The runs start from drawn weights, so that it does not matter whether
    parents are finished.
    """
    course = course_of(cells[0], bench)
    if course.steps == 0:
        return {"1": 0.0}
    timings: dict[str, float] = {}
    largest = math.ceil(len(cells) / max(workers, 1)) if course.stackable else 1
    started = time.perf_counter()
    size = 1
    while size <= largest:
        before = _used(bench.device)
        try:
            seconds = _timed(course, bench, cells[:size])
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
            break
        except Exception:  # vmap refuses much, in errors of many kinds
            if size == 1:
                raise
            break
        timings[str(size)] = seconds
        spent = time.perf_counter() - started
        # The next size is about twice as dear, in time and in memory.
        if seconds > HOPELESS * min(timings.values()) or spent + 2 * SHARE > BUDGET:
            break
        if 3 * (_used(bench.device) - before) > _free(bench.device):
            break
        size = largest if size < largest < 2 * size else 2 * size
    return timings


def _timed(course: Course, bench: Workbench, cells: Sequence[Cell]) -> float:
    runs = [RunStreams.of(cell.seeds[0]) for cell in cells]
    stacked = len(cells) > 1
    start = drawn_weights(course.work, bench, runs[0].init)
    learner = Stack(course, [start] * len(runs), runs) if stacked else Alone(course, start, runs[0])
    batches = Batches(course, runs, stacked=stacked)
    stretch = max(course.stretches, key=lambda stretch: stretch.steps)
    learner.begin(stretch)
    batches.order.begin(stretch.batch)

    def step(number: int) -> None:
        learner.step(batches.next(number), number, 0.0)

    with autocast("float32", bench.device):
        for number in range(2):  # the first steps also plan kernels and allocate
            step(number)
        _wait(bench.device)
        started, taken = time.perf_counter(), 0
        while taken < 2 or time.perf_counter() - started < SHARE:
            for number in range(5 if taken else 1):
                step(number)
                taken += 1
            _wait(bench.device)
        return (time.perf_counter() - started) / taken / len(cells)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _used(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0


def _free(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 1
