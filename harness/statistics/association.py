"""How closely two quantities of the same runs go together, for many permutations at once."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Kind = Literal["kendall", "spearman", "pearson", "probit"]

PAIRS = 1 << 22
"""Signs of pairs that are held at a time."""


def association(kind: Kind, x: Array, y: Array) -> float:
    """One coefficient; NaN where x or y does not vary.

    "kendall": tau-b. "spearman": Pearson's r of mid-ranks. "pearson": r. "probit": r of x and
    Phi^-1(y) for y a proportion strictly between 0 and 1 (accuracy on the line).
    """
    return float(associations(kind, x[None], y, np.arange(y.size)[None])[0, 0])


def associations(kind: Kind, xs: Array, y: Array, orders: NDArray[np.int64]) -> Array:
    """Coefficients [predictors, permutations] of xs [predictors, runs] with y in every order.

    Raises:
        ValueError: values that are not finite, or a proportion of 0 or 1 for "probit".
    """
    if not (np.isfinite(xs).all() and np.isfinite(y).all()):
        raise ValueError("every run needs a finite value")
    if kind == "kendall":
        return _kendall(xs, y, orders)
    if kind == "probit":
        y = probit(y)
    if kind == "spearman":
        xs, y = stats.rankdata(xs, axis=1), stats.rankdata(y)
    ours, theirs = _standard(xs), _standard(y[None])[0]
    found: Array = ours @ theirs[orders].T
    return found


def probit(shares: Array) -> Array:
    """Phi^-1 of proportions strictly between 0 and 1."""
    if not ((shares > 0) & (shares < 1)).all():
        raise ValueError("a proportion of 0 or 1 has no probit")
    found: Array = stats.norm.ppf(shares)
    return found


def _standard(xs: Array) -> Array:
    """Centred and of unit length; NaN where constant."""
    centred = xs - xs.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    flat = lengths <= 1e-12 * np.abs(xs).max(axis=1, keepdims=True)
    unit: Array = centred / np.where(flat, np.nan, lengths)
    return unit


def _kendall(xs: Array, y: Array, orders: NDArray[np.int64]) -> Array:
    """Tau-b: concordant less discordant pairs over sqrt(untied in x * untied in y)."""
    first, second = np.triu_indices(y.size, 1)
    ours = np.sign(xs[:, first] - xs[:, second]).astype(np.float32)
    untied = np.count_nonzero(ours, axis=1).astype(np.float64)
    theirs = np.count_nonzero(y[first] != y[second])
    chunk = max(1, PAIRS // max(1, first.size))
    found = np.empty((len(xs), len(orders)))
    ranks = stats.rankdata(y, method="dense").astype(np.int32)
    for start in range(0, len(orders), chunk):
        moved = ranks[orders[start : start + chunk]]
        signs = np.sign(moved[:, first] - moved[:, second]).astype(np.float32)
        found[:, start : start + chunk] = ours @ signs.T
    scale = np.sqrt(untied * theirs)[:, None]
    tau: Array = found / np.where(scale == 0, np.nan, scale)
    return tau
