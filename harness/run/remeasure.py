"""Measure runs that are finished already; nothing is trained but branches that metrics ask for."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.api.cells import Cell, Plan, Stage
from harness.plug.catalogue import Catalogue
from harness.run.execute import execute_cells
from harness.run.options import RunOptions
from harness.run.outcome import Outcome
from harness.store.store import Store

TRAINING = (Stage.PRETRAIN, Stage.FINETUNE, Stage.MERGE)
ON_THE_WAY = (Stage.BRANCH, Stage.PART)
"""What is made for readings alone, when they are measured."""


@dataclass(frozen=True)
class Measured:
    """What became of a plan's measure cells.

    `outcome` is of those whose runs are stored, with their starts, and of the branches that they
    need; `reused` of them were measured before and `measured` now. `waiting` counts the others, and
    `untrained` the trainings that these wait for.
    """

    planned: int
    reused: int
    measured: int
    outcome: Outcome
    waiting: int
    untrained: int

    @property
    def exit_code(self) -> int:
        """0: complete; 1: something failed or waits for a training; 130: interrupted."""
        return self.outcome.exit_code or (1 if self.waiting else 0)


def measure_plan(
    plan: Plan,
    store: Store,
    catalogue: Catalogue,
    options: RunOptions,
    tell: Callable[[Sequence[Cell]], None],
) -> Measured:
    """Measure what can be measured of the plan from stored weights.

    `tell` is told beforehand of the branches to train, if there are any.

    Raises:
        HarnessError: the store cannot be written, or the executor cannot start.
    """
    trainings = {cell.key: cell for cell in plan.cells if cell.stage in TRAINING}
    branches = {cell.key: cell for cell in plan.cells if cell.stage in ON_THE_WAY}
    cells = [cell for cell in plan.cells if cell.stage == Stage.MEASURE]
    done = store.survey([*trainings.values(), *branches.values(), *cells]).done
    lacking = {cell.key: _lacking(cell, trainings | branches, done) for cell in cells}
    ready = [cell for cell in cells if cell.key in done or not lacking[cell.key]]
    waiting = [cell for cell in cells if cell.key not in done and lacking[cell.key]]
    wanted = {key for cell in ready if cell.key not in done for key in cell.parents}
    needed = [cell for key, cell in branches.items() if key in wanted and key not in done]
    trained = [cell for cell in needed if cell.stage == Stage.BRANCH]
    if trained:
        tell(trained)
    parts = (*needed, *ready)
    outcome = execute_cells(replace(plan, cells=parts), store, catalogue, options)
    without = set(outcome.missing)
    reused = sum(cell.key in done for cell in ready)
    return Measured(
        planned=len(cells),
        reused=reused,
        measured=sum(cell.key not in without for cell in ready) - reused,
        outcome=outcome,
        waiting=len(waiting),
        untrained=len(set().union(*(lacking[cell.key] for cell in waiting))),
    )


def _lacking(cell: Cell, trainings: Mapping[str, Cell], done: Collection[str]) -> set[str]:
    """Keys of the trainings that the cell rests on and that are not stored intact.

    A branch that is not there yet can be trained: it lacks what it starts from, if anything.
    """
    found: set[str] = set()
    front = list(cell.parents)
    while front:
        key = front.pop()
        training = trainings[key]
        if key not in done and training.stage not in ON_THE_WAY:
            found.add(key)
        front.extend(training.parents)
    return found
