"""Why a cell is there or is not: its state, what it waits for, and what comes nearest to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.api.cells import Cell, Plan, Stage
from harness.api.errors import HarnessError
from harness.api.settings import Json
from harness.plan.difference import Difference, differences
from harness.plan.identity import identity_of
from harness.store import Store, Survey

SHOWN = 8


@dataclass(frozen=True)
class Explanation:
    """A cell's state and the reason for it.

    `missing_parent` is the first cell up the line that is not done itself: it is what `nearest` is
    about then. `nearest` is the key of the stored cell of that stage with the fewest differences,
    None where the store holds no other, and `planned_too` whether this plan asks for it as well.
    """

    cell: Cell
    state: str
    reason: str
    identity: Mapping[str, Json]
    missing_parent: Cell | None = None
    nearest: str | None = None
    planned_too: bool = False
    differences: tuple[Difference, ...] = ()


def find_cell(plan: Plan, wanted: str, store: Store) -> Cell:
    """The cell whose key, or whose key without its stage, starts with `wanted`.

    Raises:
        HarnessError: no cell of the plan does (perhaps one of the store), or several do.
    """
    found = [
        cell
        for cell in plan.cells
        if cell.key.startswith(wanted) or cell.key.partition("-")[2].startswith(wanted)
    ]
    if not found:
        stored = [key for stage in Stage for key in store.keys(stage) if key.startswith(wanted)]
        if stored:
            raise HarnessError(
                f"suite {plan.suite_id} does not ask for {stored[0]}, which is in {store.root}",
                fix="explain a cell of the plan; it is compared with what is stored",
            )
        raise HarnessError(
            f"no cell of suite {plan.suite_id} has a key that starts with '{wanted}'",
            fix="`seedscape plan SUITE --json` lists all keys",
        )
    if len(found) > 1:
        some = ", ".join(cell.key for cell in found[:SHOWN])
        more = ", ..." if len(found) > SHOWN else ""
        raise HarnessError(
            f"{len(found):,} cells have a key that starts with '{wanted}'",
            fix=f"give more of one of {some}{more}",
        )
    return found[0]


def explain(cell: Cell, plan: Plan, survey: Survey, store: Store) -> Explanation:
    """Look into a cell; `survey` is of the whole plan."""
    state = survey.state(cell.key)
    identity = identity_of(cell)
    if state != "missing":
        return Explanation(cell, state, _reason(cell, state, survey, store), identity)
    first = _first_missing(cell, {known.key: known for known in plan.cells}, survey)
    if survey.state(first.key) != "missing":
        reason = _reason(first, survey.state(first.key), survey, store)
        return Explanation(cell, state, reason, identity, missing_parent=first)
    nearest, apart = _nearest(first, plan, store)
    return Explanation(
        cell=cell,
        state=state,
        reason="",  # what differs is the reason
        identity=identity,
        missing_parent=None if first is cell else first,
        nearest=nearest,
        planned_too=nearest in {known.key for known in plan.cells},
        differences=apart,
    )


def _reason(cell: Cell, state: str, survey: Survey, store: Store) -> str:
    if state == "failed":
        return survey.failed[cell.key].reason
    if state == "damaged":
        return survey.damaged[cell.key]
    record = store.read(cell.key)
    when = f"{record.started:%Y-%m-%d %H:%M}"
    diverged = ", and its loss was no longer finite" if record.outcome == "diverged" else ""
    return f"computed on {when} in {record.wall_seconds:.1f} s{diverged}"


def _first_missing(cell: Cell, known: Mapping[str, Cell], survey: Survey) -> Cell:
    """The cell itself, or the first one up the line that has to come before it."""
    for parent in cell.parents:
        if parent not in survey.done:
            return _first_missing(known[parent], known, survey)
    return cell


def _nearest(cell: Cell, plan: Plan, store: Store) -> tuple[str | None, tuple[Difference, ...]]:
    """Of the stored cells of that stage the one with the least weight of differences.

    Of two at the same distance the one that the plan does not ask for says more: something has
    changed since it was computed.
    """
    planned = {known.key for known in plan.cells}
    identity = identity_of(cell)
    best: tuple[int, bool, str] | None = None
    found: tuple[Difference, ...] = ()
    for key in store.keys(cell.stage):
        try:
            apart = differences(identity, store.read(key).identity)
        except HarnessError:
            continue  # damaged, or of a later version: nothing to compare with
        rank = (sum(difference.weight for difference in apart), key in planned, key)
        if best is None or rank < best:
            best, found = rank, apart
    return (best[2] if best else None), found
