"""How much the runs of a table differ: spreads, components, and aggregates over OOD scores."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from harness.analyze.table import Asked, RunTable
from harness.analyze.table_layout import Drawn, Hanging
from harness.api.tables import Aggregate, ColumnSpread, ComponentShare, Ends
from harness.statistics import aggregates
from harness.statistics.chance import MEANS, seeded
from harness.statistics.components import sampling_sd
from harness.statistics.generalized import NAMES, component_ranges
from harness.statistics.intervals import Interval
from harness.statistics.multibootstrap import Arm, multi_bootstrap
from harness.statistics.reml import REST, fit
from harness.statistics.sampling import Separated, separate, separate_runs

AGGREGATES: Mapping[str, Callable[[NDArray[np.float64]], float]] = {
    "mean": aggregates.mean,
    "interquartile mean": aggregates.interquartile_mean,
    "worst score (mean over runs)": aggregates.worst_task,
    "worst run (mean over scores)": aggregates.worst_run,
}


def spread(table: RunTable, name: str, examples: int | None) -> ColumnSpread:
    """One column of scores over all runs."""
    values = table.numbers[name]
    right = table.correct.get(name)
    seed_sd = None
    if right is not None and right.shape[1] > 1:
        examples = right.shape[1]
        seed_sd = max(0.0, separate_runs(right.astype(np.float64)).seeds) ** 0.5
    mean = float(values.mean())
    return ColumnSpread(
        column=name,
        kind="id"
        if name == table.columns.id
        else "ood"
        if name in table.columns.ood
        else "upstream",
        runs=values.size,
        mean=mean,
        sd=float(values.std(ddof=1)),
        minimum=float(values.min()),
        maximum=float(values.max()),
        worst_run=table.labels[int(values.argmin())],
        examples=examples,
        sampling_sd=None if examples is None else sampling_sd(mean, examples),
        seed_sd=seed_sd,
    )


def mean_ends(
    table: RunTable, name: str, means: Drawn, asked: Asked
) -> dict[str, float | Ends | None]:
    """The mean of groups of a score, and its intervals over runs (and known examples) drawn anew.

    They are those of a report: the same runs of a split of this name have the same draws.
    """
    places, right = list(means.places), table.correct.get(name)
    values = table.numbers[name][places, None]
    arm = Arm(means.grid, values if right is None else right[places].astype(np.float32))
    found: dict[str, float | Ends | None] = {
        "group_mean": arm.estimate(),
        "mean_ends_runs": _told(table, arm, means, name, asked, examples=False),
    }
    if right is not None:
        found["mean_ends"] = _told(table, arm, means, name, asked, examples=True)
    return found


def _told(
    table: RunTable, arm: Arm, means: Drawn, name: str, asked: Asked, *, examples: bool = False
) -> Ends | None:
    generator, levels = seeded(asked.seed, name, MEANS), means.levels(examples=examples)
    drawn = multi_bootstrap([arm], asked.replicates, generator, levels=levels)
    bounds = (0.0, 1.0) if table.columns.shares else (-math.inf, math.inf)
    found = drawn.told(within=bounds)
    return None if found is None else _ends(found)


def components(
    table: RunTable, name: str, design: Hanging, generator: np.random.Generator
) -> list[ComponentShare]:
    """Shares of the variance by group; none for independent runs."""
    layout = design.layout
    if layout.design == "independent":
        return []
    values, places = table.numbers[name], layout.table()
    if min(places.shape) < 2:
        return []
    factors = {table.columns.groups[0]: layout.cluster}
    if layout.design == "crossed":
        factors[table.columns.groups[1]] = layout.member
    found = fit(values.tolist(), factors).variances
    total = sum(found.values())
    ranges = component_ranges(values[places], layout.design, generator)
    apart: Mapping[str, Separated] = {}
    right = table.correct.get(name)
    if right is not None and right.shape[1] > 1:
        apart = separate(right[places].astype(np.float64), layout.design)
    told = []
    for part, (factor, variance) in zip(NAMES[layout.design], found.items(), strict=True):
        around, of = ranges[part], apart.get(part)
        told.append(
            ComponentShare(
                column=name,
                factor="everything else" if factor == REST else factor,
                levels=values.size if factor == REST else len(set(factors[factor])),
                sd=variance**0.5,
                share=variance / total if total > 0 else 0.0,
                share_low=around.share[0],
                share_high=around.share[1],
                seeds=None if of is None else of.seeds,
                testing=None if of is None else of.testing,
            )
        )
    return told


def aggregated(
    table: RunTable, design: Hanging, asked: Asked, generator: np.random.Generator
) -> tuple[Aggregate, ...]:
    """Summaries over runs and all OOD columns; none where there is but one.

    The worst run has no interval: what drawing anew says of an extreme is wrong.
    """
    if len(table.columns.ood) < 2:
        return ()
    scores = np.stack([table.numbers[name] for name in table.columns.ood], axis=1)
    weights, runs = design.weights(asked.replicates, generator), design.drawn
    units = len(runs.grid.seeds)

    def ends(aggregate: Callable[[NDArray[np.float64]], float]) -> Ends | None:
        if aggregate is aggregates.worst_run:
            return None
        if aggregate is aggregates.mean:
            arm = Arm(runs.grid, scores.mean(axis=1)[:, None])
            return _told(table, arm, runs, "all OOD scores", asked)
        return _ends(aggregates.aggregate_interval(scores, weights, aggregate, units=units))

    return tuple(
        Aggregate(name=name, value=aggregate(scores), ends=ends(aggregate))
        for name, aggregate in AGGREGATES.items()
    )


def _ends(interval: Interval) -> Ends:
    return Ends(low=interval.low, high=interval.high)
