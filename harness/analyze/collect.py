"""Read the records of a plan's cells, and say of each cell without one what is wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.api.cells import (
    Branch,
    Cell,
    EvaluateWork,
    MeasureWork,
    PartWork,
    Plan,
    Seeds,
    TrainWork,
)
from harness.api.errors import HarnessError
from harness.api.findings import Problem
from harness.api.results import CellRecord, Scored
from harness.store.store import Store

STATES = ("ok", "diverged", "failed", "missing", "damaged")


@dataclass(frozen=True)
class Collected:
    """Records by key, the state of every planned cell, and the problems among them.

    `state` is one of `STATES`. `diverged` holds the keys of all cells that descend from a
    diverged training, and of that training.
    """

    records: Mapping[str, CellRecord]
    states: Mapping[str, str]
    problems: tuple[Problem, ...]
    diverged: frozenset[str]


def collect(plan: Plan, store: Store) -> Collected:
    """Read what is finished of the plan; only planned cells are looked at."""
    survey = store.survey(plan.cells)
    records: dict[str, CellRecord] = {}
    states: dict[str, str] = {}
    problems: list[Problem] = []
    diverged: set[str] = set()
    for cell in plan.cells:
        reason = ""
        state = "missing"
        if cell.key in survey.done:
            try:
                records[cell.key] = store.read(cell.key)
                state = records[cell.key].outcome
            except HarnessError as error:
                state, reason = "damaged", str(error)
        elif cell.key in survey.damaged:
            state, reason = "damaged", survey.damaged[cell.key]
        elif cell.key in survey.failed:
            state, reason = "failed", survey.failed[cell.key].reason
        if state == "diverged" or not diverged.isdisjoint(cell.parents):
            diverged.add(cell.key)
        states[cell.key] = state
        problems.extend(_problems(cell, state, reason, records.get(cell.key), states))
    return Collected(records, states, tuple(problems), frozenset(diverged))


def _problems(
    cell: Cell,
    state: str,
    reason: str,
    record: CellRecord | None,
    states: Mapping[str, str],
) -> Iterator[Problem]:
    if state == "missing":
        yield _problem(cell, "missing", _what_it_waits_for(cell, states))
    elif state in ("failed", "damaged"):
        yield _problem(cell, state, reason)
    elif state == "diverged":
        yield _problem(cell, "diverged", _where_it_diverged(record))
    if record is not None and isinstance(record.result, Scored):
        for score, why in record.result.failed.items():
            yield _problem(cell, "unscored", f"{score}: {why}")


def _what_it_waits_for(cell: Cell, states: Mapping[str, str]) -> str:
    for state in ("failed", "damaged", "missing"):
        held = [parent for parent in cell.parents if states.get(parent) == state]
        if held:
            what = "has not run" if state == "missing" else f"is {state}"
            return f"has not run: the {held[0].split('-')[0]} cell it needs {what}"
    return "has not run"


def _where_it_diverged(record: CellRecord | None) -> str:
    step = getattr(record.result, "diverged_at", None) if record is not None else None
    return "the loss was not finite" + (f" from step {step} on" if step is not None else "")


def _problem(cell: Cell, state: str, reason: str) -> Problem:
    return Problem.model_validate(
        {
            "key": cell.key,
            "stage": cell.stage.value,
            "procedure": cell.procedure,
            "seeds": seeds_text(cell),
            "state": state,
            "reason": reason,
        }
    )


def seeds_text(cell: Cell) -> str:
    """The cell's seeds, and what is scored or measured: "2/1, test", "0/1 and 2/3, barrier".

    Of a branch, which it is: "2/1, branch 1 from step 20".
    """
    each = list(dict.fromkeys(run_text(seeds) for seeds in cell.seeds))
    runs = " and ".join(each[:3])
    if len(each) > 3:
        runs += f" and {len(each) - 3} more"
    match cell.work:
        case MeasureWork(metric=metric):
            return f"{runs}, {metric.label}"
        case PartWork(whole=whole, part=part):
            return f"{runs}, part {part + 1} of {whole.parts} of {whole.metric.label}"
        case EvaluateWork(split=split):
            return f"{runs}, {split.name}"
        case TrainWork(branch=Branch(step=step, copy=copy)):
            return f"{runs}, branch {copy} from step {step}"
        case _:
            return runs


def run_text(seeds: Seeds) -> str:
    """A run as "pretrain seed/fine-tune seed" (and "/order seed" where that is another)."""
    parts = [str(seeds.pretrain)]
    if seeds.finetune is not None:
        parts.append(str(seeds.finetune))
    if seeds.order is not None and seeds.order != seeds.finetune:
        parts.append(str(seeds.order))
    return "/".join(parts)
