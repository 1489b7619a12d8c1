"""What is done with trained runs: every run is scored on every split, and measured."""

from collections.abc import Iterator, Sequence
from itertools import product

from harness.api.cells import (
    Branch,
    Cell,
    EvaluateWork,
    MeasureWork,
    Procedure,
    Seeds,
    SplitUse,
    Stage,
    Use,
)
from harness.api.errors import HarnessError
from harness.api.numbers import words
from harness.api.offers import Metric, Score
from harness.api.suites import MetricUse, Suite
from harness.plan.branches import branch_cells, branches_of
from harness.plan.mold import Mold, Terms
from harness.plan.pairs import choose_pairs, run_order
from harness.plan.parts import Whole, parts_of
from harness.plug import Catalogue, offer_from


def evaluate_cells(
    suite: Suite, procedure: Procedure, runs: Sequence[Cell], terms: Terms
) -> list[Cell]:
    """One cell per run and evaluation split, with all scores of the suite that the split has."""
    train = suite.data.train
    molds = []
    for split in suite.data.splits:
        work = EvaluateWork(procedure.model, train, split, suite.scores_of(split))
        molds.append(Mold.of(Stage.EVALUATE, procedure.label, work, terms))
    return [mold.cell(run.seeds, (run.key,)) for run, mold in product(runs, molds)]


def measure_cells(
    suite: Suite,
    procedure: Procedure,
    runs: Sequence[Cell],
    terms: Terms,
    catalogue: Catalogue,
) -> list[Cell]:
    """One cell per metric and subject: a run, a pair of runs, or all runs of the procedure.

    A metric is read on those of its splits that it has access to: one that only sees the training
    split is not measured again when the suite names other evaluation splits. Before these cells
    come the branches of runs that metrics ask for.
    """
    ordered = sorted(runs, key=lambda run: run_order(run.seeds[0]))
    branched = branch_cells(suite.metrics, ordered, terms, catalogue)
    cells = [*branched.values()]
    for metric in suite.metrics:
        offer: Metric = offer_from(metric.use, catalogue)[0]
        if offer.across:  # of several procedures: see across.py
            continue
        splits = visible(suite, metric, offer.access)
        molds: dict[tuple[str | None, tuple[Branch, ...]], Whole] = {}
        for subject in _subjects(metric, ordered):
            seeds = tuple(run.seeds[0] for run in subject)
            kind = _pair_kind(metric, seeds)
            branches = branches_of(metric, subject[0], catalogue) if offer.branches else ()
            if (kind, branches) not in molds:
                work = MeasureWork(
                    metric=metric.use,
                    of=metric.of,
                    model=procedure.model,
                    train=suite.data.train,
                    splits=splits,
                    pair_kind=kind,
                    branches=branches,
                    parts=parts_of(metric.use, catalogue),
                    scores=_scores(suite, metric, catalogue),
                )
                molds[kind, branches] = Whole.of(procedure.label, work, terms)
            parents = [*subject, *(branched[subject[0].key, branch] for branch in branches)]
            whole = molds[kind, branches]
            cells += whole.cells(seeds, tuple(parent.key for parent in parents))
    return cells


def _scores(suite: Suite, metric: MetricUse, catalogue: Catalogue) -> tuple[Use, ...]:
    """Those of the suite's scores that a metric's settings name."""
    offer, settings = offer_from(metric.use, catalogue)
    if not isinstance(offer, Metric) or offer.scores is None:
        return ()
    known = {use.label: use for use in suite.scores}
    wanted = offer.scores(settings)
    for label in wanted:
        if label not in known:
            raise HarnessError(
                f"the metric '{metric.use.label}' asks for the score '{label}'",
                where=f"suite {suite.id}",
                fix=f"add it to `scores:`, or name one of {words(known, 'or')}",
            )
        score, _ = offer_from(known[label], catalogue)
        if isinstance(score, Score) and score.groups:  # of which a probe knows nothing
            raise HarnessError(
                f"the score '{label}' needs the groups of examples, which the metric "
                f"'{metric.use.label}' does not have",
                where=f"suite {suite.id}",
                fix="name a score that does not",
            )
    return tuple(known[label] for label in wanted)


def visible(suite: Suite, metric: MetricUse, access: str) -> tuple[SplitUse, ...]:
    """Those of a metric's splits that it has access to."""
    known = {split.name: split for split in (suite.data.train, *suite.data.splits)}
    named = [known[name] for name in metric.splits]
    if access == "train":
        return tuple(split for split in named if split is suite.data.train)
    return tuple(split for split in named if access != "id" or split.kind == "id")


def _subjects(metric: MetricUse, runs: Sequence[Cell]) -> Iterator[tuple[Cell, ...]]:
    match metric.of:
        case "pair":
            for i, j in choose_pairs([run.seeds[0] for run in runs], metric.pairs):
                yield runs[i], runs[j]
        case "group":
            if len(runs) > 1:
                yield tuple(runs)
        case _:
            yield from ((run,) for run in runs)


def _pair_kind(metric: MetricUse, seeds: Sequence[Seeds]) -> str | None:
    if metric.of != "pair":
        return None
    same = seeds[0].pretrain == seeds[1].pretrain
    return "same-pretrain-seed" if same else "different-pretrain-seed"
