"""Slopes of lines through accuracies when runs and examples are drawn anew."""

import numpy as np
from numpy.typing import NDArray

from harness.statistics.intervals import Interval, percentile
from harness.statistics.line import Scale, transform

Array = NDArray[np.float64]


def slope_draws(x: Array, y: Array, weights: Array, scale: Scale = "probit") -> Array:
    """Weighted least squares slopes on a scale: [replicates].

    `weights` [replicates, runs] say how often each run was drawn; x and y are accuracies [runs], or
    [replicates, runs] where examples were drawn too. NaN where all drawn runs have the same x.

    Raises:
        ValueError: an accuracy of 0 or 1, but on the linear scale.
    """
    there, here = (np.broadcast_to(transform(each, scale), weights.shape) for each in (x, y))
    shares = weights / weights.sum(axis=1, keepdims=True)
    x_off = there - (shares * there).sum(axis=1, keepdims=True)
    y_off = here - (shares * here).sum(axis=1, keepdims=True)
    spread = (shares * x_off**2).sum(axis=1)
    flat = spread <= 1e-15 * (shares * there**2).sum(axis=1)
    slopes: Array = (shares * x_off * y_off).sum(axis=1) / np.where(flat, np.nan, spread)
    return slopes


def accuracies_drawn(right: NDArray[np.bool_], counts: NDArray[np.float32]) -> Array:
    """Accuracies [replicates, runs] on drawn examples, from what each run got right.

    `right` is [runs, examples], `counts` [replicates, examples] says how often each was drawn.
    An accuracy of 0 or 1 is moved inside by half an example, so that it has a place on any scale.
    """
    examples = right.shape[1]
    found: Array = (counts @ right.T.astype(np.float32)).astype(np.float64) / examples
    return np.clip(found, 0.5 / examples, 1 - 0.5 / examples)


def slope_interval(slopes: Array, level: float = 0.95) -> Interval:
    """The percentile interval of the slopes that are numbers.

    Raises:
        ValueError: hardly any is.
    """
    known = slopes[np.isfinite(slopes)]
    if known.size < slopes.size / 2 or known.size < 2:
        raise ValueError("most draws have no slope")
    return percentile(known, level)
