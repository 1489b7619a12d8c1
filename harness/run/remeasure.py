"""Measure runs that are finished already; nothing is trained, evaluated or made anew."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from harness.api.cells import Cell, Plan, Stage
from harness.plug.catalogue import Catalogue
from harness.run.execute import execute_cells
from harness.run.options import RunOptions
from harness.run.outcome import Outcome
from harness.store.store import Store

TRAINING = (Stage.PRETRAIN, Stage.FINETUNE, Stage.MERGE)


@dataclass(frozen=True)
class Measured:
    """What became of a plan's measure cells.

    `outcome` is of those whose runs are stored, with their starts; `waiting` counts the others, and
    `untrained` the trainings that these wait for.
    """

    planned: int
    outcome: Outcome
    waiting: int
    untrained: int

    @property
    def exit_code(self) -> int:
        """0: complete; 1: something failed or waits for a training; 130: interrupted."""
        return self.outcome.exit_code or (1 if self.waiting else 0)


def measure_plan(plan: Plan, store: Store, catalogue: Catalogue, options: RunOptions) -> Measured:
    """Measure what can be measured of the plan from stored weights.

    Raises:
        HarnessError: the store cannot be written, or the executor cannot start.
    """
    trainings = {cell.key: cell for cell in plan.cells if cell.stage in TRAINING}
    cells = [cell for cell in plan.cells if cell.stage == Stage.MEASURE]
    survey = store.survey([*trainings.values(), *cells])
    lacking = {cell.key: _lacking(cell, trainings, survey.done) for cell in cells}
    ready = [cell for cell in cells if cell.key in survey.done or not lacking[cell.key]]
    waiting = [cell for cell in cells if cell.key not in survey.done and lacking[cell.key]]
    return Measured(
        planned=len(cells),
        outcome=execute_cells(replace(plan, cells=tuple(ready)), store, catalogue, options),
        waiting=len(waiting),
        untrained=len(set().union(*(lacking[cell.key] for cell in waiting))),
    )


def _lacking(cell: Cell, trainings: Mapping[str, Cell], done: Collection[str]) -> set[str]:
    """Keys of the trainings that the cell rests on and that are not stored intact."""
    found: set[str] = set()
    front = list(cell.parents)
    while front:
        key = front.pop()
        if key not in done:
            found.add(key)
        front.extend(trainings[key].parents)
    return found
