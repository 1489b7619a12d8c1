"""From a suite to its cells: every axis crossed, parents before children."""

import hashlib
from collections import Counter
from itertools import product

from harness.api.cells import (
    PRECISIONS,
    Cell,
    EvaluateWork,
    MeasureWork,
    PartWork,
    Plan,
    Procedure,
    Stage,
    TrainWork,
    Use,
)
from harness.api.errors import HarnessError
from harness.api.suites import Init, Suite
from harness.plan.across import across_cells
from harness.plan.children import evaluate_cells, measure_cells
from harness.plan.mold import Terms
from harness.plan.training import finetune_cells, pretrain_cells, starts_of
from harness.plug import Catalogue

MOST = 2_000_000
"""More trainings and evaluations than this are a slip, not a plan."""


def expand(suite: Suite, catalogue: Catalogue, *, precision: str = "float32") -> Plan:
    """The plan of a suite: all its cells by stage, parents before children.

    Raises `HarnessError` where two names stand for the same work (procedures, splits), for a merge
    method, for a checkpoint that cannot be read, for an unknown precision, and for a plan beyond
    all measure.
    """
    if precision not in PRECISIONS:
        fix = f"choose {' or '.join(PRECISIONS)}"
        raise HarnessError(f"unknown precision {precision!r}", fix=fix)
    _refuse_too_many(suite)
    terms = Terms(precision, suite.limit)
    procedures: list[Procedure] = []
    trained: list[tuple[Procedure, list[Cell]]] = []
    stages: tuple[list[Cell], ...] = ([], [], [], [], [])
    for model in suite.models:
        pretrained = pretrain_cells(suite, model, terms, catalogue)
        stages[0].extend(pretrained.values())
        for init, method in product(suite.inits, suite.methods):
            procedure = Procedure(_label(suite, model, init, method), model, init.label, method)
            procedures.append(procedure)
            starts = starts_of(init, model, pretrained, suite, catalogue)
            runs = finetune_cells(suite, procedure, starts, terms, catalogue)
            trained.append((procedure, runs))
            stages[1].extend(runs)
            stages[3].extend(evaluate_cells(suite, procedure, runs, terms))
            for cell in measure_cells(suite, procedure, runs, terms, catalogue):
                stages[2 if cell.stage == Stage.BRANCH else 4].append(cell)
    stages[-1].extend(across_cells(suite, trained, terms, catalogue))
    cells = tuple(cell for stage in stages for cell in stage)
    _refuse_same_label(procedures)
    _refuse_same_work(cells)
    return Plan(
        suite_id=suite.id,
        version=suite.version,
        title=suite.title,
        digest=hashlib.sha256("\n".join(cell.key for cell in cells).encode()).hexdigest()[:32],
        cells=cells,
        procedures=tuple(procedures),
        splits=suite.data.splits,
        primary=suite.primary,
        smoke=suite.smoke,
        sources=suite.sources,
    )


def _label(suite: Suite, model: Use, init: Init, method: Use) -> str:
    """What varies in the suite, and the initialisation in any case."""
    parts = [model.label] if len(suite.models) > 1 else []
    parts.append(init.label)
    if len(suite.methods) > 1:
        parts.append(method.label)
    return " · ".join(parts)


def _refuse_too_many(suite: Suite) -> None:
    seeds = suite.seeds
    runs = len(seeds.pretrain) * len(seeds.finetune) * len(seeds.order or (None,))
    procedures = len(suite.models) * len(suite.inits) * len(suite.methods)
    cells = procedures * runs * (1 + len(suite.data.splits))
    if cells > MOST:
        raise HarnessError(
            f"the suite asks for {procedures:,} procedures x {runs:,} runs, each scored on "
            f"{len(suite.data.splits)} splits: {cells:,} cells",
            where=f"suite {suite.id}",
            fix=f"a plan holds at most {MOST:,}; ask for fewer seeds",
        )


def _refuse_same_label(procedures: list[Procedure]) -> None:
    label, times = Counter(procedure.label for procedure in procedures).most_common(1)[0]
    if times > 1:
        raise HarnessError(
            f"{times} procedures are called '{label}'", fix="tell them apart by `as:`"
        )


def _refuse_same_work(cells: tuple[Cell, ...]) -> None:
    seen: dict[str, Cell] = {}
    for cell in cells:
        other = seen.setdefault(cell.key, cell)
        if other is not cell:
            what, first = _named(other)
            raise HarnessError(
                f"{what} '{first}' and '{_named(cell)[1]}' are the same work under two names",
                fix="leave one of them out",
            )


def _named(cell: Cell) -> tuple[str, str]:
    match cell.work:
        case EvaluateWork(split=split):
            return "splits", split.name
        case MeasureWork(metric=metric) | PartWork(whole=MeasureWork(metric=metric)):
            return "metrics", metric.label
        case TrainWork(model=model):
            return ("procedures", cell.procedure) if cell.procedure else ("models", model.label)
