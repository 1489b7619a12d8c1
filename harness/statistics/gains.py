"""What each of many predictors adds out of fold, for many draws of seeds at once.

The same as `incremental.gain` and its interval, with one regression on what is known for all
predictors: each adds the slope of what is left of y on what is left of it (Frisch and Waugh 1933).
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.statistics.association import Array
from harness.statistics.intervals import Interval, percentile

FLAT = 1e-9
"""Below this share of its variance a predictor is explained by what is known: it adds nothing."""
NUMBERS = 1 << 22
"""Numbers that are held at a time."""
SPARE = 3
"""By how much the runs that a fold leaves must outnumber the features.

Otherwise the squared error that a regression on normal features makes for a new run has no finite
mean (that of an inverse Wishart matrix): R^2 is then millions below 0, or its difference above 1.
"""
USABLE = 0.8
"""The share of draws that must leave so many runs, for an interval over the others to be given."""


def gains(known: Array, xs: Array, y: Array, groups: Sequence[Hashable]) -> Array:
    """Out-of-fold R^2 with a predictor beside what is known [k, runs], less without: [predictors].

    Raises:
        ValueError: fewer than two groups, or values not finite.
    """
    found: Array = gain_draws(known, xs, y, groups, np.ones((1, len(set(groups)))))[0]
    return found


def drawn_groups(number: int, replicates: int, generator: np.random.Generator) -> Array:
    """How often each group is drawn [replicates, groups], at least two different ones each time."""
    weights = np.empty((0, number))
    while len(weights) < replicates:
        more = generator.multinomial(number, np.full(number, 1 / number), size=replicates)
        weights = np.vstack([weights, more[(more > 0).sum(1) > 1]])
    drawn: Array = weights[:replicates]
    return drawn


def directions(features: Array) -> int:
    """How many of the features [k, runs] tell something that the others do not.

    >>> directions(np.array([[0.0, 1, 2], [0, 2, 4], [1, 1, 1]]))
    1
    """
    if not features.size:
        return 0
    centred = features - features.mean(1, keepdims=True)
    scaled = centred / _or_one(centred.std(1, keepdims=True))
    sizes = np.linalg.svd(scaled, compute_uv=False)
    return int((sizes > 1e-5 * max(sizes[0], 1e-5)).sum())


def spared(features: int, groups: Sequence[Hashable], weights: Array) -> NDArray[np.bool_]:
    """Whether each fold of a draw leaves enough different runs for so many features: [replicates].

    A group that is drawn twice brings the same runs twice, which pin down no more features.
    """
    folds = list(dict.fromkeys(groups))
    sizes = np.array([list(groups).count(fold) for fold in folds])
    there = weights > 0
    left = (there @ sizes)[:, None] - np.where(there, sizes, 0)
    enough: NDArray[np.bool_] = left.min(1) >= features + SPARE
    return enough


def drawn_interval(draws: Array, enough: NDArray[np.bool_]) -> Interval | None:
    """The percentile interval of draws [replicates] with `enough` runs; None where few have."""
    known = draws[enough & np.isfinite(draws)]
    return percentile(known) if known.size >= USABLE * draws.size else None


def gain_draws(
    known: Array, xs: Array, y: Array, groups: Sequence[Hashable], weights: Array
) -> Array:
    """Gains [replicates, predictors] of xs [predictors, runs] where groups count so often.

    `weights` is [replicates, groups], groups in the order of their first run. A group that counts
    twice stays one fold: it never predicts itself. NaN where all runs score the same.

    Raises:
        ValueError: fewer than two groups, or values not finite.
    """
    folds = list(dict.fromkeys(groups))
    if len(folds) < 2:
        raise ValueError("two groups of runs are needed")
    if not all(np.isfinite(each).all() for each in (known, xs, y)):
        raise ValueError("every run needs a finite value")
    of_run = np.array([folds.index(group) for group in groups])
    rows = np.vstack([known, y[None], xs])
    rows = (rows - rows.mean(1, keepdims=True)) / _or_one(rows.std(1, keepdims=True))
    draw, fold = np.nonzero(weights)
    step = max(1, NUMBERS // rows.size)
    total = np.zeros(len(weights))
    saved = np.zeros((len(weights), len(xs)))
    for start in range(0, draw.size, step):
        part = slice(start, start + step)
        inside = weights[draw[part]][:, of_run] * (of_run != fold[part, None])
        outside = of_run == fold[part, None]
        whole, less = _errors(rows, len(known), inside, outside)
        often = weights[draw[part], fold[part]]
        np.add.at(total, draw[part], often * whole)
        np.add.at(saved, draw[part], often[:, None] * less)
    found: Array = saved / np.where(total > 0, total, np.nan)[:, None]
    return found


def r2_draws(features: Array, y: Array, groups: Sequence[Hashable], weights: Array) -> Array:
    """Out-of-fold R^2 [replicates] of all features [k, runs] where groups count so often.

    What each feature adds to those before it, summed: with weights of 1 it is
    `incremental.out_of_fold`.

    Raises:
        ValueError: fewer than two groups, or values not finite.
    """
    found: Array = np.zeros(len(weights))
    for place in range(len(features)):
        one = slice(place, place + 1)
        found += gain_draws(features[:place], features[one], y, groups, weights)[:, 0]
    return found


def _errors(rows: Array, k: int, inside: Array, outside: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Squared errors of the runs outside if the mean is all that is known, [draws].

    And by how much each predictor lowers those made with what is known, [draws, predictors].
    """
    mean = inside @ rows.T / inside.sum(1, keepdims=True)
    centred = rows[None] - mean[:, :, None]  # [draws, rows, runs]
    known = centred[:, :k]
    shared = np.einsum("dkr,dr,dzr->dkz", known, inside, centred, optimize=True)
    scale = _or_one(np.sqrt(np.einsum("dkk->dk", shared[:, :, :k])))
    grams = shared[:, :, :k] / (scale[:, :, None] * scale[:, None])
    slopes = np.linalg.pinv(grams, rcond=1e-10, hermitian=True) @ (shared / scale[:, :, None])
    slopes = slopes[:, :, k:] / scale[:, :, None]
    left = centred[:, k:] - np.einsum("dkz,dkr->dzr", slopes, known, optimize=True)
    y, xs = left[:, 0], left[:, 1:]
    spread = np.einsum("dzr,dr->dz", xs**2, inside)
    before = np.einsum("dzr,dr->dz", centred[:, k + 1 :] ** 2, inside)
    joint = np.einsum("dzr,dr,dr->dz", xs, inside, y, optimize=True)
    used = spread > FLAT * np.maximum(before, 1e-12)
    slope = np.where(used, joint / np.where(used, spread, 1.0), 0.0)
    after = ((y[:, None] - slope[:, :, None] * xs) ** 2 * outside[:, None]).sum(-1)
    whole = (centred[:, k] ** 2 * outside).sum(-1)
    return whole, (y**2 * outside).sum(-1)[:, None] - after


def _or_one(sizes: Array) -> Array:
    return np.where(sizes > 1e-12, sizes, 1.0)
