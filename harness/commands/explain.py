"""`seedscape explain`: why a cell is there, or is not."""

import json

import click

from harness.api.cells import Branch, Cell, EvaluateWork, MeasureWork, PartWork, TrainWork
from harness.api.numbers import count, words
from harness.api.settings import Json
from harness.commands.options import SuiteOptions, store_option, suite_options
from harness.commands.planning import planned, precision_option
from harness.plan.counts import seeds_in_words
from harness.plan.explain import SHOWN, Explanation, explain, find_cell
from harness.plan.identity import predictions_prefix
from harness.store.paths import failure_log


@click.command("explain")
@suite_options
@click.argument("cell")
@store_option
@precision_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, the cell's identity included.")
def command(suite: SuiteOptions, cell: str, store: str, precision: str, as_json: bool) -> None:
    """Say whether a CELL of SUITE is done, and if not, why.

    CELL is a key or its beginning, with or without the stage. A missing cell is compared with the
    stored one that comes nearest.
    """
    found = planned(suite, store, precision)
    wanted = find_cell(found.plan, cell, found.store)
    told = explain(wanted, found.plan, found.survey, found.store)
    if as_json:
        click.echo(json.dumps(_fields(told), indent=2, ensure_ascii=False))
        return
    for line in _lines(told):
        click.echo(line)
    if told.state == "failed":
        click.echo(f"the end of its log: {failure_log(found.store.root, told.cell.key)}")


def _lines(told: Explanation) -> list[str]:
    cell, first = told.cell, told.missing_parent
    about = f": {told.reason}" if told.reason and first is None else ""
    lines = [f"{cell.key} is {told.state}{about}", f"  {_what(cell)}"]
    if told.state == "damaged":
        lines.append("the next run computes it again")
    if told.state != "missing":
        return lines
    if first is not None:
        why = f"failed: {told.reason}" if told.reason else "missing too"
        lines += [f"it waits for {first.key}, which is {why}", f"  {_what(first)}"]
    return lines if told.reason else [*lines, *_comparison(told)]


def _what(cell: Cell) -> str:
    parts = [cell.stage.value, cell.procedure, f"seeds {seeds_in_words(cell.seeds)}"]
    match cell.work:
        case TrainWork(branch=Branch(step=step, copy=copy)):
            parts.append(f"branch {copy} from step {step:,}")
        case EvaluateWork(split=split):
            parts.append(f"on {split.name}")
        case MeasureWork(metric=metric, splits=splits):
            where = [words(split.name for split in splits)] if splits else []
            parts.append(" on ".join([metric.label, *where]))
        case PartWork(whole=whole, part=part):
            parts.append(f"part {part + 1} of {whole.parts} of {whole.metric.label}")
    return ", ".join(part for part in parts if part)


def _comparison(told: Explanation) -> list[str]:
    cell = told.missing_parent or told.cell
    if told.nearest is None:
        return [f"the store holds no {cell.stage.value} cell at all"]
    lines = []
    if predictions_prefix(told.nearest) == predictions_prefix(cell.key) and isinstance(
        cell.work, EvaluateWork
    ):
        lines.append("its predictions are stored already: only the scores will be computed")
    also = "which this plan asks for too" if told.planned_too else "which this plan does not need"
    lines.append(f"nearest in the store is {told.nearest}, {also}; they differ in")
    shown = told.differences[:SHOWN]
    lines += [f"  - {difference}" for difference in shown]
    if len(told.differences) > len(shown):
        lines.append(f"  - and {count(len(told.differences) - len(shown), 'more place')}")
    return lines


def _fields(told: Explanation) -> dict[str, Json]:
    apart: list[Json] = [
        {"path": d.path, "planned": d.planned, "stored": d.stored} for d in told.differences
    ]
    return {
        "key": told.cell.key,
        "state": told.state,
        "reason": told.reason,
        "identity": dict(told.identity),
        "waits_for": None if told.missing_parent is None else told.missing_parent.key,
        "nearest": told.nearest,
        "differences": apart,
    }
