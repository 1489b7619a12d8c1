"""What predictors add out of fold, or why nothing can be said of it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.api.numbers import count
from harness.statistics.gains import (
    Needs,
    drawn_groups,
    drawn_interval,
    gain_draws,
    gains,
    left,
    needs,
    spared,
    wild,
)
from harness.statistics.incremental import out_of_fold
from harness.statistics.intervals import Interval

Array = NDArray[np.float64]

NO_INTERVAL = "seeds drawn anew leave too few runs or seeds for an interval of out-of-fold R²"
WILD = "out-of-fold R² changes too wildly with the seeds drawn for an interval"


@dataclass(frozen=True)
class Gain:
    """What a predictor adds to out-of-fold R^2, its interval, and why one of them is missing."""

    value: float | None = None
    around: Interval | None = None
    note: str = ""


def gained(
    controls: Array,
    xs: Array,
    y: Array,
    groups: Sequence[Hashable],
    *,
    generator: np.random.Generator,
    replicates: int,
) -> list[Gain]:
    """What each of xs [predictors, runs] adds to the controls [k, runs].

    Intervals draw the same groups anew for all predictors.
    """
    clusters = len(set(groups))
    if clusters < 3:
        why = f"{clusters} seeds are too few to predict any from the others"
        return [Gain(note=why) for _ in xs]
    if not len(xs):
        return []
    known = needs(controls, groups).features
    what = f"it and {known_quantities(known)}" if known else "it"
    needed = [needs(np.vstack([controls, x[None]]), groups) for x in xs]
    short = [too_few(need, groups, what) for need in needed]
    given = (controls, xs, y, groups)
    values = gains(*given)
    if all(short) or not np.isfinite(values).all():
        return [Gain(note=why) for why in short]
    most = 1 - out_of_fold(controls, y, groups)
    drawn = drawn_groups(clusters, replicates, generator)
    found = []
    for why, need, value, draws in zip(
        short, needed, values, gain_draws(*given, drawn).T, strict=True
    ):
        around, unsure = interval(draws, spared(need, groups, drawn), most)
        found.append(Gain(note=why) if why else Gain(float(value), around, unsure))
    return found


def interval(
    draws: Array, enough: NDArray[np.bool_], most: float = 1.0
) -> tuple[Interval | None, str]:
    """The interval of an R^2, or a gain, that is at most so large; or why there is none."""
    around = drawn_interval(draws, enough)
    if around is None:
        return None, NO_INTERVAL
    return (None, WILD) if wild(around, most) else (around, "")


def too_few(need: Needs, groups: Sequence[Hashable], what: str) -> str:
    """Why runs and groups beside those left out do not suffice to fit `what`, or nothing."""
    runs, seeds = left(groups), len(set(groups)) - 1
    if runs < need.runs:
        return f"{count(runs, 'run')} beside those left out are too few to fit {what}"
    if seeds < need.groups:
        some = "which" if need.features == 1 else f"of which {need.between}"
        flat = f"{some} hardly {'varies' if need.between == 1 else 'vary'} within a seed"
        return f"{count(seeds, 'seed')} beside the one left out are too few to fit {what}, {flat}"
    return ""


def known_quantities(number: int) -> str:
    """So many known quantities, in words."""
    return count(number, "known quantity", "known quantities")
