"""What a run shows while it runs: plain lines, or nothing. The live display is in `live`."""

import time
from collections.abc import Sequence
from typing import Protocol, TextIO

from harness.api.cells import Cell
from harness.api.contexts import Event, Job
from harness.api.numbers import count
from harness.run.tally import Tally, describe

QUIET_SECONDS = 5.0
"""How often plain lines tell how far a run is."""


class Display(Protocol):
    """Told of everything that happens; shows what it likes."""

    def begin(self, tally: Tally) -> None:
        """The run starts."""

    def begin_job(self, job: Job) -> None:
        """A job was handed to the pool."""

    def hear(self, event: Event) -> None:
        """News from a worker."""

    def settled(self, cell: Cell) -> None:
        """A cell is finished, here or elsewhere, or has failed."""

    def failed(self, cell: Cell, reason: str, blocked: Sequence[Cell]) -> None:
        """A cell has failed for good (told besides `settled`), and blocks others."""

    def end(self) -> None:
        """The run is over."""


class Silent:
    """Shows nothing, and keeps the tally."""

    def begin(self, tally: Tally) -> None:
        """Keep the tally."""
        self.tally = tally

    def begin_job(self, job: Job) -> None:
        """Note it."""
        self.tally.begin_job(job)

    def hear(self, event: Event) -> None:
        """Note it."""
        self.tally.hear(event)

    def settled(self, cell: Cell) -> None:
        """Note it."""
        self.tally.settled(cell)

    def failed(self, cell: Cell, reason: str, blocked: Sequence[Cell]) -> None:
        """Note it."""
        self.tally.failed += 1
        self.tally.blocked += len(blocked)
        for other in blocked:
            self.tally.settled(other)

    def end(self) -> None:
        """Nothing to do."""


class Plain(Silent):
    """A line when the run starts, every few seconds, and when a cell fails."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told = 0.0

    def begin(self, tally: Tally) -> None:
        """How much there is to do, with how many workers."""
        super().begin(tally)
        todo = tally.total - tally.done
        workers = "1 worker" if tally.workers == 1 else f"{tally.workers} workers"
        self._say(f"{tally.done:,} of {tally.total:,} cells done, {todo:,} to run, {workers}")

    def settled(self, cell: Cell) -> None:
        """Now and then how far we are."""
        super().settled(cell)
        if time.monotonic() - self._told >= QUIET_SECONDS:
            self._say(self.tally.line())

    def failed(self, cell: Cell, reason: str, blocked: Sequence[Cell]) -> None:
        """Which cell failed, and why."""
        super().failed(cell, reason, blocked)
        self._say(failure_line(cell, reason, len(blocked)))

    def _say(self, line: str) -> None:
        self._told = time.monotonic()
        print(line, file=self._stream, flush=True)  # showing is its purpose


def failure_line(cell: Cell, reason: str, blocked: int) -> str:
    """A failure in one line."""
    wait = "waits" if blocked == 1 else "wait"
    waiting = f" ({count(blocked, 'cell')} {wait} for it)" if blocked else ""
    return f"failed: {describe(cell)} [{cell.key}]: {' '.join(reason.split())}{waiting}"
