"""Accuracy on the line through the runs of one procedure, and why to doubt it."""

import numpy as np
import pandas as pd

from harness.analyze.seeded_runs import Scored
from harness.api.cells import Primary
from harness.api.numbers import percent
from harness.api.predictors import LineFit
from harness.statistics.chance import named
from harness.statistics.gains import drawn_groups
from harness.statistics.line import RELIABLE, Scale, fit_line, reliability
from harness.statistics.line_draws import slope_draws, slope_interval

REPLICATES = 1_000


def line_of(
    table: Scored, primary: Primary, target: str, scores: pd.DataFrame, *, proportion: bool
) -> LineFit:
    """The line through all usable runs; its interval draws pretraining seeds anew.

    With a single one of them it draws fine-tuning seeds.

    Proportions are taken on the probit scale, where those of 0 and 1 have no place.
    """
    scale: Scale = "probit" if proportion else "linear"
    runs = table.usable(primary, target)
    x, y = (table.array(primary.score, split, runs) for split in (primary.id, target))
    inside = (np.minimum(x, y) > 0) & (np.maximum(x, y) < 1) | (not proportion)
    cluster = [table.unit_of(run) for run, kept in zip(runs, inside, strict=True) if kept]
    left_out, x, y = int((~inside).sum()), x[inside], y[inside]
    told = LineFit(
        target=target,
        in_domain=primary.id,
        procedure=table.procedure,
        scale=scale,
        models=x.size,
        left_out=left_out,
        reliability=_reliability(x, table, primary, scores) if proportion else None,
    )
    try:
        fitted = fit_line(x, y, scale)
    except ValueError as error:
        return told.model_copy(update={"warning": str(error)})
    found: dict[str, object] = {
        "slope": fitted.slope,
        "intercept": fitted.intercept,
        "r2": fitted.r2 if np.isfinite(fitted.r2) else None,
        "warning": _doubt(told.reliability),
    }
    seeds = list(dict.fromkeys(cluster))
    if len(seeds) > 2:
        stream = named("line", table.procedure, target)
        weights = drawn_groups(len(seeds), REPLICATES, stream)
        draws = slope_draws(x, y, weights[:, [seeds.index(seed) for seed in cluster]], scale)
        try:
            around = slope_interval(draws)
            found |= {"slope_low": around.low, "slope_high": around.high}
        except ValueError:
            pass  # most draws have but one in-domain accuracy: no interval
    return told.model_copy(update=found)


def _reliability(
    x: np.ndarray[tuple[int], np.dtype[np.float64]],
    table: Scored,
    primary: Primary,
    scores: pd.DataFrame,
) -> float | None:
    here = scores[(scores["procedure"] == table.procedure) & (scores["split"] == primary.id)]
    sizes = here["n"].dropna()
    return reliability(x, int(sizes.min())) if len(sizes) and x.size > 1 else None


def _doubt(share: float | None) -> str:
    if share is None or share >= RELIABLE:
        return ""
    return (
        f"only {percent(share)} of the in-domain variance is not noise of testing: "
        "the slope is too small by about that factor"
    )
