"""What a tracker is told of one run of a procedure: names, settings, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.api.cells import Cell, EvaluateWork, MeasureWork, Plan, Stage, TrainWork
from harness.api.readings import Reading
from harness.api.results import CellRecord, Scored, Trained
from harness.api.settings import Json

RUNS = (Stage.FINETUNE, Stage.MERGE)
"""The cells that are runs of a procedure; others belong to the run whose weights they use."""


@dataclass(frozen=True)
class News:
    """What one finished cell adds to a run.

    `numbers` are final values, `losses` training losses by step. `trained` says that it is the run
    itself, of which `settings` are known then.
    """

    numbers: Mapping[str, float]
    settings: Mapping[str, str] = field(default_factory=dict)
    losses: tuple[tuple[int, float], ...] = ()
    trained: bool = False


def run_of(cell: Cell) -> str | None:
    """The key of the run that a cell belongs to, None for what is of several runs or of none.

    Pretrainings, branches, and readings of pairs or groups of runs are of no one run.
    """
    if cell.stage in RUNS:
        return cell.key
    alone = isinstance(cell.work, MeasureWork) and cell.work.of in ("point", "trajectory")
    return cell.parents[0] if alone or isinstance(cell.work, EvaluateWork) else None


def name_of(cell: Cell) -> str:
    """The run's name: its procedure and its seeds, as reports write them."""
    seeds = cell.seeds[0]
    parts = [seeds.pretrain, seeds.finetune]
    parts += [seeds.order] if seeds.order not in (None, seeds.finetune) else []
    return f"{cell.procedure} {'/'.join(str(part) for part in parts if part is not None)}"


def tags_of(cell: Cell, run: str, plan: Plan) -> dict[str, str]:
    """What a run can be found by."""
    return {
        "seedscape.key": run,
        "seedscape.suite": plan.suite_id,
        "seedscape.version": plan.version,
        "seedscape.procedure": cell.procedure,
        "seedscape.plan": plan.digest,
        "seedscape.trial": str(plan.smoke).lower(),
    }


def seeds_of(cell: Cell) -> dict[str, str]:
    """The seeds of the run, as settings."""
    seeds = cell.seeds[0]
    found = {"pretrain": seeds.pretrain, "finetune": seeds.finetune, "order": seeds.order}
    return {f"seed.{name}": str(seed) for name, seed in found.items() if seed is not None}


def news_of(cell: Cell, record: CellRecord) -> News:
    """What a finished cell says of its run."""
    match record.result:
        case Trained() as trained:
            settings = {"precision": record.precision, **dict(_flat("", record.settings))}
            if isinstance(cell.work, TrainWork):
                settings |= {"init": cell.work.init, "batch": str(cell.work.batch)}
            losses = tuple(zip(trained.loss_steps, trained.losses, strict=True))
            numbers = {
                "train/steps": float(trained.steps),
                "train/seconds": record.wall_seconds,
                "train/diverged": float(record.outcome == "diverged"),
            }
            return News(numbers, settings, losses, trained=True)
        case Scored() as scored:
            return News({f"{scored.split}/{name}": x for name, x in scored.scores.items()})
        case Reading() as reading:
            assert isinstance(cell.work, MeasureWork)
            label = cell.work.metric.label
            values = {
                f"{label}/{value.name}{f'/{value.split}' if value.split else ''}": value.value
                for value in reading.values
                if not value.detail
            }
            return News(values)


def plain(name: str) -> str:
    """A name with the signs that every tracker takes.

    >>> plain("noise[sd=0.2]/accuracy")
    'noise_sd_0.2_/accuracy'
    """
    return re.sub(r"[^\w ./-]", "_", name, flags=re.ASCII)


def _flat(before: str, value: Json) -> Iterator[tuple[str, str]]:
    """Settings by their way down, "method.lr"; an offer's own name stands for the offer."""
    if not isinstance(value, dict):
        yield before, str(value)
        return
    for key, below in value.items():
        whole = before if key == "name" and before else f"{before}.{key}".lstrip(".")
        yield from _flat(whole, below)
