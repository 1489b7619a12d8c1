"""Which cells are ready, which wait, which are blocked: the state of a run, without running it."""

import heapq
from collections import deque
from collections.abc import Collection, Iterable
from types import MappingProxyType

from harness.api.cells import Cell, MeasureWork, Stage, TrainWork

RANK = MappingProxyType(
    {
        Stage.PRETRAIN: 0,
        Stage.FINETUNE: 1,
        Stage.MERGE: 2,
        Stage.BRANCH: 3,
        Stage.MEASURE: 4,
        Stage.EVALUATE: 5,
    }
)
"""The critical path first: what others wait for; then long cells before short ones."""

Group = tuple[str, ...]
"""Cells of one group may go into one job."""

POINT = "\x00point"
"""Stands second in the groups of all readings of one run; no label has a null in it."""


def group_of(cell: Cell) -> Group:
    """Trainings of one procedure, evaluations or readings of one run, readings of one metric.

    Readings of one run, of its end or its way, share what they find out about it, whatever their
    metrics. Those of pairs and larger groups share end points with others of their metric. Branches
    are trained beside those that leave their runs at the same step.
    Labels are unique within a suite, so they stand for what they name.
    """
    work = cell.work
    if isinstance(work, MeasureWork) and work.of in ("point", "trajectory"):
        return (cell.stage, POINT, *cell.parents[:1])  # the others are branches of that run
    if isinstance(work, MeasureWork):
        return (cell.stage, cell.procedure, work.metric.label, *(s.name for s in work.splits))
    if cell.stage == Stage.EVALUATE:
        return (cell.stage, *cell.parents)
    branch = (str(work.branch.step),) if isinstance(work, TrainWork) and work.branch else ()
    return (cell.stage, cell.procedure, work.model.label, str(cell.steps), *branch)


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
        self._ready: dict[Group, deque[str]] = {}
        self._groups: dict[Group, list[Cell]] = {}
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
        return [self.cells[queue.popleft()] for _ in range(min(count, len(queue)))]

    def give_back(self, cells: Iterable[Cell]) -> None:
        """Cells that were taken and not run: first in their groups again."""
        for cell in reversed(list(cells)):
            self._offer(cell.key, first=True)

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

    def _offer(self, key: str, *, first: bool = False) -> None:
        cell = self.cells[key]
        group = group_of(cell)
        queue = self._ready.setdefault(group, deque())
        if not queue:
            entry = (RANK[cell.stage], -(cell.steps or 0), self._place[key], group)
            heapq.heappush(self._heap, entry)
        if first:
            queue.appendleft(key)
        else:
            queue.append(key)
