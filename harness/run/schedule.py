"""The loop of a run: ready cells to jobs, news to results, until nothing is left to do."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from harness.api.cells import Cell
from harness.api.contexts import Event, Job, Pool
from harness.api.errors import HarnessError
from harness.api.results import CellRecord, Failure
from harness.run.board import Board, Group
from harness.run.display import Display
from harness.run.journal import Journal
from harness.run.packs import Calibration, Packing
from harness.store.locks import Claim
from harness.store.store import Store

ATTEMPTS = 2
"""How often a cell may be running when its worker dies."""

ELSEWHERE_SECONDS = 0.5
"""How often we look whether another run has finished a cell that it claimed."""


class Watchers(Protocol):
    """Who is told of cells: the catalogue. What watchers raise comes back as lines."""

    def tell_started(self, cell: Cell) -> tuple[str, ...]:
        """A cell is about to run."""

    def tell_finished(self, cell: Cell, record: CellRecord) -> tuple[str, ...]:
        """A cell has ended."""


@dataclass(frozen=True)
class Desk:
    """Where news go: the store, the watchers, the journal, the display."""

    store: Store
    watchers: Watchers
    journal: Journal
    display: Display


@dataclass
class Account:
    """What has happened so far."""

    computed: int = 0
    shared: int = 0
    diverged: int = 0
    failed: dict[str, Failure] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)  # a set that keeps its order


@dataclass
class _Running:
    job: Job
    group: Group
    left: dict[str, Cell]
    started: set[str] = field(default_factory=set)


class Schedule:
    """Runs a board's cells on a pool. Cells of a dead worker run once more, each on its own."""

    def __init__(self, board: Board, packing: Packing, desk: Desk) -> None:
        self.account = Account()
        self._board = board
        self._packing = packing
        self._desk = desk
        self._running: dict[int, _Running] = {}
        self._claims: dict[str, Claim] = {}
        self._elsewhere: dict[str, Cell] = {}
        self._looked = 0.0
        self._attempts: dict[str, int] = {}
        self._jobs = 0
        self._refused: str | None = None

    def run(self, pool: Pool) -> None:
        """Until every cell is finished, failed or blocked.

        Raises:
            HarnessError: results cannot be stored, so there is no point in going on.
        """
        try:
            while self._board.open:
                self._fill(pool)
                if self._refused is not None:
                    raise HarnessError(self._refused)
                event = pool.next(ELSEWHERE_SECONDS if self._running else 0.0)
                if event is not None:
                    self.hear(event)
                elif not self._running and self._elsewhere:
                    time.sleep(ELSEWHERE_SECONDS / 5)
                self._look_elsewhere()
        finally:
            for claim in self._claims.values():
                claim.release()

    def hear(self, event: Event) -> None:
        """News of a job. A final failure ends the run, at the next turn of the loop."""
        if event.final or self._refused is not None:
            self._refused = self._refused or event.text
            return
        running = self._running.get(event.job)
        if running is None:
            return
        self._desk.display.hear(event)
        cell = running.left.get(event.key)
        match event.kind:
            case "started" if cell is not None:
                running.started.add(event.key)
                self._desk.journal.write("started", key=event.key, worker=event.worker)
                self._warn(self._desk.watchers.tell_started(cell))
            case "finished" if cell is not None:
                del running.left[event.key]
                self._finished(cell)
            case "failed" if cell is not None:
                del running.left[event.key]
                self._failed(cell, event.text, event.log)
            case "done":
                del self._running[event.job]
                self._done(running, event)
            case "lost":
                del self._running[event.job]
                self._lost(running, event)
            case _:
                pass  # progress is for the display alone

    def _fill(self, pool: Pool) -> None:
        while len(self._running) < pool.workers and self._refused is None:
            running = self._next()
            if running is None:
                return
            self._running[running.job.number] = running
            self._desk.display.begin_job(running.job)
            pool.submit(running.job)

    def _next(self) -> _Running | None:
        """The next job, its cells claimed; None when nothing is ready for us."""
        while (group := self._board.next_group()) is not None:
            self._jobs += 1
            if self._packing.wants_calibration(group, self._board):
                self._packing.known[group] = Calibration()  # until it is timed: one by one
                cells = tuple(self._board.group(group))
                return _Running(
                    Job(self._jobs, cells, "calibrate", workers=self._packing.workers), group, {}
                )
            cells = self._ours(group)
            if cells:
                known = self._packing.known.get(group, Calibration())
                job = Job(self._jobs, cells, calibration=known.seconds)
                return _Running(job, group, {cell.key: cell for cell in cells})
        return None

    def _ours(self, group: Group) -> tuple[Cell, ...]:
        size = self._packing.size(group, self._board)
        cells = self._board.take(group, size)
        suspects = [cell for cell in cells if cell.key in self._attempts]
        if suspects and len(cells) > 1:
            alone = suspects[0]
            self._board.give_back([cell for cell in cells if cell is not alone])
            cells = [alone]
        return tuple(cell for cell in cells if self._claim(cell))

    def _claim(self, cell: Cell) -> bool:
        claim = self._desk.store.claim(cell.key)
        if claim is None:
            self._elsewhere[cell.key] = cell
            return False
        if cell.key in self._desk.store.survey([cell]).done:  # finished since we last looked
            claim.release()
            self._shared(cell)
            return False
        self._claims[cell.key] = claim
        return True

    def _look_elsewhere(self) -> None:
        now = time.monotonic()
        if not self._elsewhere or now - self._looked < ELSEWHERE_SECONDS:
            return
        self._looked = now
        for cell in list(self._elsewhere.values()):
            claim = self._desk.store.claim(cell.key)
            if claim is None:
                continue
            done = cell.key in self._desk.store.survey([cell]).done
            claim.release()
            del self._elsewhere[cell.key]
            if done:
                self._shared(cell)
            else:  # the other run was interrupted, or failed: now it is our turn
                self._board.give_back([cell])

    def _shared(self, cell: Cell) -> None:
        self.account.shared += 1
        self._settle(cell)
        self._board.finish(cell.key)

    def _finished(self, cell: Cell) -> None:
        try:
            record = self._desk.store.read(cell.key)
        except HarnessError as error:
            self._failed(cell, str(error), "")
            return
        self.account.computed += 1
        self.account.diverged += record.outcome == "diverged"
        self._settle(cell)
        self._board.finish(cell.key)
        self._desk.journal.write("finished", key=cell.key, seconds=record.wall_seconds)
        self._warn(self._desk.watchers.tell_finished(cell, record))

    def _failed(self, cell: Cell, reason: str, log: str) -> None:
        failure = Failure(
            key=cell.key,
            stage=cell.stage,
            reason=reason,
            log=log,
            attempts=self._attempts.get(cell.key, 0) or 1,
            when=datetime.now(UTC),
        )
        self.account.failed[cell.key] = failure
        blocked = self._board.fail(cell.key)
        self._settle(cell)
        self._desk.store.fail(failure)
        self._desk.journal.write("failed", key=cell.key, reason=reason, blocked=len(blocked))
        self._desk.display.failed(cell, reason, [self._board.cells[key] for key in blocked])

    def _settle(self, cell: Cell) -> None:
        claim = self._claims.pop(cell.key, None)
        if claim is not None:
            claim.release()
        self._desk.display.settled(cell)

    def _done(self, running: _Running, event: Event) -> None:
        if running.job.kind == "calibrate":
            seconds: Mapping[str, float] = event.answer
            if seconds:
                calibration = Calibration(dict(seconds), event.text)
                self._packing.learn(running.group, running.job.cells[0], calibration)
        for cell in list(running.left.values()):
            self._failed(cell, event.text or "the executor said nothing of this cell", event.log)

    def _lost(self, running: _Running, event: Event) -> None:
        """The worker died. Who was running may be the cause; who was not, is tried as before."""
        self._desk.journal.write("lost", key=event.key, worker=event.worker, reason=event.text)
        suspects = running.started & running.left.keys() or set(running.left)
        again = []
        for cell in running.left.values():
            if cell.key in suspects:
                self._attempts[cell.key] = self._attempts.get(cell.key, 0) + 1
                if self._attempts[cell.key] >= ATTEMPTS:
                    self._failed(cell, f"{event.text}, {ATTEMPTS} times", event.log)
                    continue
            self._claims.pop(cell.key).release()
            again.append(cell)
        self._board.give_back(again)

    def _warn(self, lines: tuple[str, ...]) -> None:
        self.account.warnings.update(dict.fromkeys(lines))
