"""Accuracy on the line, robustness beyond it, and transfer, for the runs of a table."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analyze.table import Asked, RunTable
from harness.analyze.table_layout import Hanging
from harness.api.numbers import count
from harness.api.predictors import LineFit
from harness.api.tables import Ends, HullPoint, Robustness, TransferFit
from harness.statistics.components import sampling_sd
from harness.statistics.intervals import percentile
from harness.statistics.line import RELIABLE, Line, Scale, fit_line, reliability
from harness.statistics.line_draws import accuracies_drawn, slope_draws, slope_interval
from harness.statistics.resampling import example_counts
from harness.statistics.sampling import separate_runs
from harness.statistics.transfer import ALPHAS, Scaling, fit_scaling, scaling_draws

Array = NDArray[np.float64]
CHUNK = 128


@dataclass(frozen=True)
class Lined:
    """What is told of a line, the line (None where there is none), and the runs it goes through."""

    told: LineFit
    fitted: Line | None
    through: NDArray[np.bool_]


def line(table: RunTable, target: str, scale: Scale, examples: Mapping[str, int]) -> Lined:
    """The line of a target through the baselines, or through all runs where none are named."""
    x, y = table.numbers[table.columns.id], table.numbers[target]
    wanted = np.ones(x.size, dtype=bool) if table.baselines is None else table.baselines
    placed = _placed(x, scale) & _placed(y, scale)
    through = wanted & placed
    told = LineFit(
        target=target,
        in_domain=table.columns.id,
        scale=scale,
        models=int(through.sum()),
        left_out=int((wanted & ~placed).sum()),
        reliability=_reliability(table, through, examples.get(table.columns.id)),
    )
    try:
        fitted = fit_line(x[through], y[through], scale)
    except ValueError as error:
        return Lined(told.model_copy(update={"warning": str(error)}), None, through)
    found = {
        "slope": fitted.slope,
        "intercept": fitted.intercept,
        "r2": fitted.r2 if np.isfinite(fitted.r2) else None,
        "warning": _doubt(told.reliability, known=table.columns.id in table.correct),
    }
    return Lined(told.model_copy(update=found), fitted, through)


def slope_ends(
    table: RunTable, lined: Lined, design: Hanging, asked: Asked, generator: np.random.Generator
) -> dict[str, float]:
    """The ends of the slope's interval, runs (whole groups) and known examples drawn anew."""
    if lined.fitted is None:
        return {}
    told, replicates = lined.told, asked.replicates
    places = np.array(design.places)
    inside = lined.through[places]
    weights = design.weights(replicates, generator)[:, inside]
    chosen = places[inside]
    drawn = weights.sum(axis=1) > 0
    slopes = np.full(replicates, np.nan)
    for start in range(0, replicates, CHUNK):
        rows = np.arange(start, min(start + CHUNK, replicates))
        rows = rows[drawn[rows]]
        if not rows.size:
            continue
        x, y = (
            _scores(table, name, chosen, rows.size, generator)
            for name in (told.in_domain, told.target)
        )
        slopes[rows] = slope_draws(x, y, weights[rows], asked.scale)
    try:
        around = slope_interval(slopes)
    except ValueError:
        return {}
    return {"slope_low": around.low, "slope_high": around.high}


def robustness(table: RunTable, lined: Lined, examples: int | None) -> list[Robustness]:
    """Effective robustness of the runs that are no baselines, the largest first."""
    fitted, target = lined.fitted, lined.told.target
    if table.baselines is None or fitted is None:
        return []
    x, y = table.numbers[table.columns.id], table.numbers[target]
    judged = ~table.baselines & _placed(x, fitted.scale)
    expected = fitted.predict(x[judged])
    found = [
        Robustness(
            target=target,
            run=table.labels[place],
            in_domain=float(x[place]),
            ood=float(y[place]),
            expected=float(there),
            effective=float(y[place] - there),
            noise=None if examples is None else sampling_sd(float(y[place]), examples),
        )
        for place, there in zip(np.flatnonzero(judged), expected, strict=True)
    ]
    return sorted(found, key=lambda each: -each.effective)


def transfer(
    table: RunTable,
    target: str,
    clusters: NDArray[np.int64],
    generator: np.random.Generator,
    replicates: int,
) -> TransferFit:
    """Downstream error of a target against upstream error, on the lower convex hull."""
    upstream = table.columns.upstream
    assert upstream is not None
    x, y = 1 - table.numbers[upstream], 1 - table.numbers[target]
    usable = np.flatnonzero((x > 0) & (y > 0))
    told = TransferFit(target=target, upstream=upstream, runs=int(usable.size))
    note = ""
    if usable.size < x.size:
        note = f"{count(x.size - usable.size, 'run')} without error left out"
    x, y = x[usable], y[usable]
    try:
        law = fit_scaling(x, y)
    except ValueError as error:
        return told.model_copy(update={"note": str(error)})
    hull = tuple(
        HullPoint(
            run=table.labels[usable[place]], upstream=float(x[place]), downstream=float(y[place])
        )
        for place in law.hull
    )
    found: dict[str, object] = {
        "k": law.k, "alpha": law.alpha, "e_inf": law.e_inf, "residual": law.residual, "hull": hull,
        "note": note,
    }  # fmt: skip
    try:
        draws = scaling_draws(x, y, generator, replicates, clusters[usable])
    except ValueError as error:
        return told.model_copy(update=found | {"note": str(error)})
    ends = _law_ends(draws)
    around = (law.alpha, ends["alpha_ends"].low, ends["alpha_ends"].high)
    if min(around) < 1.01 * ALPHAS[0] or max(around) > 0.99 * ALPHAS[1]:
        least, most = ALPHAS
        found["note"] = (
            f"alpha reaches the end of what is searched ({least:g} to {most:g}): the points do not "
            "tell it"
        )
    return told.model_copy(update=found | ends)


def _law_ends(draws: list[Scaling]) -> dict[str, Ends]:
    found = {}
    for name in ("alpha", "e_inf"):
        around = percentile(np.array([getattr(law, name) for law in draws]))
        found[f"{name}_ends"] = Ends(low=around.low, high=around.high)
    return found


def _placed(values: Array, scale: Scale) -> NDArray[np.bool_]:
    """Which values have a place on the scale."""
    if scale == "linear":
        return np.ones(values.size, dtype=bool)
    found: NDArray[np.bool_] = (values > 0) & (values < 1)
    return found


def _scores(
    table: RunTable,
    name: str,
    places: NDArray[np.int64],
    replicates: int,
    generator: np.random.Generator,
) -> Array:
    right = table.correct.get(name)
    if right is None:
        return table.numbers[name][places]
    counts = example_counts(right.shape[1], replicates, generator)
    return accuracies_drawn(right[places], counts)


def _reliability(table: RunTable, through: NDArray[np.bool_], examples: int | None) -> float | None:
    """The share of the in-domain variance that testing does not add.

    From predictions it is estimated: all runs are tested on the same examples, and what they find
    hard or easy alike is no noise between them. From the number of examples alone it is a bound.
    """
    right, runs = table.correct.get(table.columns.id), int(through.sum())
    if runs < 2 or examples is None or examples < 2:
        return None
    if right is None:
        return reliability(table.numbers[table.columns.id][through], examples)
    apart = separate_runs(right[through].astype(np.float64))
    return min(1.0, max(0.0, apart.seeds / apart.observed)) if apart.observed > 0 else 0.0


def _doubt(reliable: float | None, *, known: bool) -> str:
    if reliable is None or reliable >= RELIABLE:
        return ""
    if known:
        head = f"{reliable:.0%} of the spread in-domain is not noise of testing"
    elif reliable > 0:
        head = f"maybe only {reliable:.0%} of the spread in-domain is not noise of testing"
    else:
        head = "the spread in-domain is no larger than the noise of testing"
    return f"{head}: a slope is read off baselines that vary more, not off such runs alone"
