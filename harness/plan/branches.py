"""The branches of runs that metrics ask for: each is trained once, whoever asks."""

from collections.abc import Sequence
from dataclasses import replace

from harness.api.cells import Branch, Cell, Stage, TrainWork
from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.suites import MetricUse
from harness.plan.mold import Mold, Terms
from harness.plug import Catalogue, offer_from

Branched = dict[tuple[str, Branch], Cell]
"""Branch cells by the key of their run, and the branch."""


def branch_cells(
    metrics: Sequence[MetricUse], runs: Sequence[Cell], terms: Terms, catalogue: Catalogue
) -> Branched:
    """Every branch of a procedure's runs that some metric needs.

    A branch has its run's seeds and parents, and not the run for a parent: it trains from the run's
    own start.
    """
    molds: dict[tuple[str | None, Branch], Mold] = {}
    cells: Branched = {}
    asking = [m for m in metrics if offer_from(m.use, catalogue)[0].branches is not None]
    for run in runs if asking else ():
        for branch in (b for metric in asking for b in branches_of(metric, run, catalogue)):
            work = run.work
            assert isinstance(work, TrainWork)
            at = (work.checkpoint, branch)  # in all else the works of a procedure are alike
            if at not in molds:
                work = replace(work, branch=branch)
                molds[at] = Mold.of(Stage.BRANCH, run.procedure, work, terms, run.steps)
            cells.setdefault((run.key, branch), molds[at].cell(run.seeds, run.parents))
    return cells


def branches_of(metric: MetricUse, run: Cell, catalogue: Catalogue) -> tuple[Branch, ...]:
    """The branches of a run that a metric asks for, each once; none for most metrics.

    Where a trial shortens the training, a step beyond its end means its end.

    Raises:
        HarnessError: the metric asks for what there cannot be.
    """
    offer, settings = offer_from(metric.use, catalogue)
    if not isinstance(offer, Metric) or offer.branches is None:
        return ()
    where = f"metric '{metric.use.label}'"
    if metric.of != "point":
        message = f"is of a {metric.of}, and only metrics of a point have branches"
        raise HarnessError(message, where=where, fix="tell its author")
    try:
        asked = tuple(offer.branches(settings, run.steps))
    except HarnessError as error:
        raise HarnessError(error.message, where=where, fix=error.fix) from error
    except Exception as error:  # a plugin's function may raise anything
        message = f"its branches raised {type(error).__name__}: {error}"
        raise HarnessError(message, where=where, fix="tell its author") from error
    return tuple(dict.fromkeys(_within(branch, run, where) for branch in asked))


def _within(branch: Branch, run: Cell, where: str) -> Branch:
    if not isinstance(branch, Branch) or branch.step < 0 or branch.copy < 1:
        message = f"asks for {branch!r}: a Branch has a step of at least 0, and a copy of 1 or more"
        raise HarnessError(message, where=where, fix="tell its author")
    if run.steps is None or branch.step <= run.steps:
        return branch
    if run.limit is not None and run.limit.steps is not None:
        return replace(branch, step=run.steps)
    raise HarnessError(
        f"a branch after {branch.step:,} steps, of a training of {run.steps:,} ({run.procedure})",
        where=where,
        fix="branch earlier",
    )
