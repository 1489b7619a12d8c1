"""Which cells are ready, which wait, which are blocked: the state of a run, without running it."""

import heapq
from bisect import insort
from collections.abc import Collection, Iterable
from types import MappingProxyType

from harness.api.cells import Cell, MeasureWork, PartWork, Stage, TrainWork

RANK = MappingProxyType(
    {
        Stage.PRETRAIN: 0,
        Stage.FINETUNE: 1,
        Stage.MERGE: 2,
        Stage.BRANCH: 3,
        Stage.EVALUATE: 4,
        Stage.PART: 5,
        Stage.MEASURE: 5,
    }
)
"""The critical path first: what others wait for; then scores, which an interrupted run can tell."""

Group = tuple[str, ...]
"""Cells of one group may go into one job."""

POINT = "\x00point"
"""Stands second in the groups of all readings of one run; no label has a null in it."""

RUNS = "\x00runs"
"""Stands third in the groups of all readings of several runs of one procedure."""

Turn = tuple[bool, tuple[str, ...], int]
"""What ready cells of a group are ordered by."""


def group_of(cell: Cell) -> Group:
    """Trainings of one procedure, evaluations or readings of one run, readings of several runs.

    Readings of one run, of its end or its way, share what they find out about it, whatever their
    metrics. Those of pairs and larger groups of runs share end points and the lines between them.
    Branches are trained beside those that leave their runs at the same step.
    Labels are unique within a suite, so they stand for what they name.
    """
    work = cell.work
    if isinstance(work, MeasureWork) and work.of in ("point", "trajectory"):
        return (cell.stage, POINT, *cell.parents[:1])  # the others are branches of that run
    if isinstance(work, MeasureWork):
        return (cell.stage, cell.procedure, RUNS)
    if isinstance(work, PartWork):
        return (cell.stage, cell.procedure, work.metric.label, *(s.name for s in work.whole.splits))
    if cell.stage == Stage.EVALUATE:
        return (cell.stage, *cell.parents)
    branch = (str(work.branch.step),) if isinstance(work, TrainWork) and work.branch else ()
    return (cell.stage, cell.procedure, work.model.label, str(cell.steps), *branch)


def turn_of(cell: Cell, turn: int) -> Turn:
    """The order of readiness; readings of several runs by these runs, and those of many first.

    Whoever measures many runs pays for what the readings of their pairs then share.
    """
    if group_of(cell)[2:] == (RUNS,):
        return len(cell.parents) <= 2, cell.parents, turn
    return True, (), turn


class Board:
    """Unfinished cells of a plan, by what they wait for."""

    def __init__(self, cells: Iterable[Cell], done: Collection[str]) -> None:
        self.cells = {cell.key: cell for cell in cells if cell.key not in done}
        self.failed: set[str] = set()
        self.blocked: dict[str, str] = {}
        self._place = {key: place for place, key in enumerate(self.cells)}
        self._settled: set[str] = set()
        self._children: dict[str, list[str]] = {}
        self._missing: dict[str, int] = {}
        self._ready: dict[Group, list[tuple[Turn, str]]] = {}
        self._groups: dict[Group, list[Cell]] = {}
        self._turns: dict[str, int] = {}
        self._heap: list[tuple[int, int, int, Group]] = []
        for key, cell in self.cells.items():
            parents = [parent for parent in set(cell.parents) if parent in self.cells]
            for parent in parents:
                self._children.setdefault(parent, []).append(key)
            self._missing[key] = len(parents)
            group = group_of(cell)
            self._groups.setdefault(group, []).append(cell)
            if not parents:
                self._offer(key)

    @property
    def open(self) -> int:
        """How many cells are neither finished, nor failed, nor blocked."""
        return len(self.cells) - len(self._settled)

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys of the cells without a result, in the plan's order."""
        without = self.failed | self.blocked.keys()
        return tuple(key for key in self.cells if key in without or key not in self._settled)

    def next_group(self) -> Group | None:
        """The most urgent group with a ready cell."""
        while self._heap:
            group = self._heap[0][-1]
            if self._ready.get(group):
                return group
            heapq.heappop(self._heap)
        return None

    def ready(self, group: Group) -> int:
        """How many cells of the group could start now."""
        return len(self._ready.get(group, ()))

    def group(self, group: Group) -> list[Cell]:
        """All cells of the group, ready or not, settled or not."""
        return self._groups[group]

    def take(self, group: Group, count: int) -> list[Cell]:
        """The first ready cells of the group; they are the caller's until settled or returned."""
        queue = self._ready[group]
        taken = [self.cells[key] for _, key in queue[:count]]
        del queue[:count]
        return taken

    def whole(self, group: Group, count: int) -> int:
        """At least so many ready cells of the group: all of those of the same runs as the last.

        Unless there are no others in the group: one pair's readings may go to several workers.
        """
        ready = [self.cells[key].parents for _, key in self._ready.get(group, ())]
        count = min(count, len(ready))
        if count == 0 or all(cell.parents == ready[0] for cell in self._groups[group]):
            return count
        later = (n for n in range(count, len(ready)) if ready[n] != ready[count - 1])
        return next(later, len(ready))

    def give_back(self, cells: Iterable[Cell]) -> None:
        """Cells that were taken and not run: in their places again."""
        for cell in cells:
            self._offer(cell.key)

    def finish(self, key: str) -> None:
        """A cell has its result: its children may be ready now."""
        if key in self._settled:
            return
        self._settled.add(key)
        for child in self._children.get(key, ()):
            self._missing[child] -= 1
            if self._missing[child] == 0 and child not in self._settled:
                self._offer(child)

    def fail(self, key: str) -> list[str]:
        """A cell has failed for good. Gives the cells that are blocked by it, and had not been."""
        self._settled.add(key)
        self.failed.add(key)
        newly: list[str] = []
        front = [key]
        while front:
            for child in self._children.get(front.pop(), ()):
                if child not in self._settled:
                    self._settled.add(child)
                    self.blocked[child] = key
                    newly.append(child)
                    front.append(child)
        return newly

    def _offer(self, key: str) -> None:
        cell = self.cells[key]
        group = group_of(cell)
        queue = self._ready.setdefault(group, [])
        if not queue:
            entry = (RANK[cell.stage], -(cell.steps or 0), self._place[key], group)
            heapq.heappush(self._heap, entry)
        turn = self._turns.setdefault(key, len(self._turns))  # its own, also when it is given back
        insort(queue, (turn_of(cell, turn), key))
