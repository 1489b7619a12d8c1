"""Ways of doing the same, in turns: each in a process of its own, so that its memory is its own.

Others may be at work on the machine too: what counts is processor time, and ways take turns, so
that a disturbance meets all of them. A ratio is the median over turns. No module is imported here
that costs memory: what a process holds at its peak is its way's.
"""

import importlib
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path


class Enough(Exception):
    """There are no more turns."""


class Turns:
    """What a way is given: it says after each step how much it has done, and waits when asked."""

    def __init__(self, pipe: Connection, steps: int) -> None:
        self._pipe, self._steps = pipe, steps
        self._taken, self._done = 0, 0
        self._started: tuple[float, float] | None = None

    def step(self, done: int) -> None:
        """So much was done in a step; raises `Enough` at the end of the last turn."""
        self._taken += 1
        self._done += done
        if self._taken < self._steps:
            return
        now = time.process_time(), time.perf_counter()
        if self._started is not None:
            spent = [after - before for after, before in zip(now, self._started, strict=True)]
            self._pipe.send((*spent, self._done))
        else:
            self._pipe.send(None)  # the first turn warms up
        if not self._pipe.recv():
            raise Enough
        self._taken, self._done = 0, 0
        self._started = time.process_time(), time.perf_counter()


@dataclass(frozen=True)
class Way:
    """What turns took: units of work per second of processor and of clock, and memory in MiB."""

    rates: tuple[float, ...]
    clock: tuple[float, ...]
    peak: float

    @property
    def rate(self) -> float:
        """Units per second of processor time: the median over turns."""
        return statistics.median(self.rates)


def in_turns(
    ways: Sequence[str], arguments: Mapping[str, object], *, threads: int, steps: int, turns: int
) -> dict[str, Way]:
    """Let ways ("module:function") take turns of so many steps, after one that warms up.

    Each is called as `function(turns, **arguments)` and goes on until it is told that it is enough.
    """
    context = multiprocessing.get_context("spawn")
    os.environ["OMP_NUM_THREADS"] = str(threads)
    pipes, workers = {}, []
    for way in ways:
        ours, theirs = context.Pipe()
        given = (way, theirs, threads, steps, dict(arguments))
        worker = context.Process(target=_work, args=given, daemon=True)
        worker.start()
        theirs.close()  # so that one that dies is noticed
        pipes[way] = ours
        workers.append(worker)
        ours.recv()  # one after the other, also while they warm up
    spent: dict[str, list[tuple[float, float, int]]] = {way: [] for way in ways}
    for _ in range(turns):
        for way, pipe in pipes.items():
            pipe.send(True)
            spent[way].append(pipe.recv())
    found = {}
    for way, pipe in pipes.items():
        pipe.send(False)
        rates = tuple(done / processor for processor, _, done in spent[way])
        clock = tuple(done / wall for _, wall, done in spent[way])
        found[way] = Way(rates, clock, pipe.recv())
    for worker in workers:
        worker.join()
    return found


def ratio(one: Way, other: Way) -> float:
    """How many times the other's rate one has, of processor time: the median over turns."""
    return statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=True))


def clock_ratio(one: Way, other: Way) -> float:
    """The same by the clock, which means something on a quiet machine."""
    return statistics.median(a / b for a, b in zip(one.clock, other.clock, strict=True))


def peak() -> float:
    """The most memory that this process has held, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # of this program alone; getrusage knows what it was forked from, too
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024**2 if sys.platform == "darwin" else most / 1024


def _work(
    way: str, pipe: Connection, threads: int, steps: int, arguments: dict[str, object]
) -> None:
    import torch

    torch.set_num_threads(threads)
    module, _, function = way.partition(":")
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        getattr(importlib.import_module(module), function)(Turns(pipe, steps), **arguments)
    except Enough:
        pipe.send(peak())
