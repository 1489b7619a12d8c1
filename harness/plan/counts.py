"""A plan in numbers: cells, steps and states by stage and procedure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.api.cells import (
    Branch,
    Cell,
    EvaluateWork,
    MeasureWork,
    PartWork,
    Plan,
    Seeds,
    Stage,
    TrainWork,
)
from harness.api.settings import Json
from harness.store import Survey


@dataclass(frozen=True)
class Tally:
    """Cells of one stage and procedure (and metric), and how many of them are in which state.

    `steps` is the sum of optimizer steps, None where it is unknown or there are none.
    """

    stage: Stage
    procedure: str
    metric: str
    cells: int
    steps: int | None
    done: int = 0
    failed: int = 0
    damaged: int = 0

    @property
    def missing(self) -> int:
        """Cells that nobody has finished, failed or damaged."""
        return self.cells - self.done - self.failed - self.damaged


def tallies(plan: Plan, survey: Survey) -> tuple[Tally, ...]:
    """The plan's cells counted by stage, procedure and metric, in the order of the plan."""
    return tuple(_tally(*group, cells, survey) for group, cells in grouped(plan).items())


def grouped(plan: Plan) -> dict[tuple[Stage, str, str], list[Cell]]:
    """The plan's cells by stage, procedure and metric ("" where there is none)."""
    groups: dict[tuple[Stage, str, str], list[Cell]] = {}
    for cell in plan.cells:
        metric = cell.work.metric.label if isinstance(cell.work, MeasureWork | PartWork) else ""
        groups.setdefault((cell.stage, cell.procedure, metric), []).append(cell)
    return groups


def total(parts: Iterable[Tally]) -> tuple[int, int, int]:
    """All cells, those that are done, and all optimizer steps that are known."""
    listed = list(parts)
    return (
        sum(part.cells for part in listed),
        sum(part.done for part in listed),
        sum(part.steps or 0 for part in listed),
    )


def waiting(plan: Plan, survey: Survey) -> frozenset[str]:
    """Cells that cannot run because a cell that they need has failed."""
    stuck: set[str] = set()
    for cell in plan.cells:  # parents come first
        if cell.key not in survey.done and any(
            parent in stuck or parent in survey.failed for parent in cell.parents
        ):
            stuck.add(cell.key)
    return frozenset(stuck - survey.failed.keys())


def seeds_in_words(seeds: Sequence[Seeds]) -> str:
    """Seeds as "pretrain seed/fine-tune seed[/order seed]", several after commas, each once.

    >>> seeds_in_words([Seeds(0, 1), Seeds(0, 2, 7)])
    '0/1, 0/2/7'
    >>> seeds_in_words([Seeds(3)])
    '3'
    """
    each = (
        "/".join(str(n) for n in (s.pretrain, s.finetune, s.order) if n is not None) for s in seeds
    )
    return ", ".join(dict.fromkeys(each))


def as_json(plan: Plan, survey: Survey) -> dict[str, Json]:
    """The plan for other programs: every cell with its parents and state."""
    cells: list[Json] = [_cell_as_json(cell, survey) for cell in plan.cells]
    procedures: list[Json] = [
        {"label": p.label, "model": p.model.label, "init": p.init, "method": p.method.label}
        for p in plan.procedures
    ]
    splits: list[Json] = [
        {"name": s.name, "kind": s.kind, "shift": s.shift, "parent": s.parent} for s in plan.splits
    ]
    return {
        "suite": plan.suite_id,
        "version": plan.version,
        "title": plan.title,
        "smoke": plan.smoke,
        "digest": plan.digest,
        "procedures": procedures,
        "splits": splits,
        "cells": cells,
    }


def _tally(stage: Stage, procedure: str, metric: str, cells: list[Cell], survey: Survey) -> Tally:
    states = Counter(survey.state(cell.key) for cell in cells)
    steps = [cell.steps for cell in cells if cell.steps is not None]
    return Tally(
        stage=stage,
        procedure=procedure,
        metric=metric,
        cells=len(cells),
        steps=sum(steps) if len(steps) == len(cells) else None,
        done=states["done"],
        failed=states["failed"],
        damaged=states["damaged"],
    )


def _cell_as_json(cell: Cell, survey: Survey) -> dict[str, Json]:
    seeds: list[Json] = [
        {"pretrain": s.pretrain, "finetune": s.finetune, "order": s.order} for s in cell.seeds
    ]
    fields: dict[str, Json] = {
        "key": cell.key,
        "stage": cell.stage.value,
        "procedure": cell.procedure,
        "seeds": seeds,
        "parents": list(cell.parents),
        "steps": cell.steps,
        "state": survey.state(cell.key),
    }
    match cell.work:
        case TrainWork(branch=Branch(step=step, copy=copy)):
            fields |= {"branch": {"step": step, "copy": copy}}
        case EvaluateWork(split=split, scores=scores):
            fields |= {"split": split.name, "scores": [score.label for score in scores]}
        case MeasureWork(metric=metric, splits=splits):
            fields |= {"metric": metric.label, "splits": [split.name for split in splits]}
        case PartWork(whole=whole, part=part):
            fields |= {"metric": whole.metric.label, "part": part, "parts": whole.parts}
    return fields
