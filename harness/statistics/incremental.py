"""What a predictor adds to what is known already, out of fold."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.statistics.association import Array
from harness.statistics.intervals import Interval, percentile


def out_of_fold(features: Array, y: Array, groups: Sequence[Hashable]) -> float:
    """R^2 of linear regression, each group of runs predicted from all the others.

    1 - sum (y - prediction)^2 / sum (y - mean of the others)^2: 0 says no better than the mean of
    the other groups, below 0 says worse. `features` [k, runs] may be empty (0 then).

    Raises:
        ValueError: fewer than two groups, or values not finite.
    """
    folds = list(dict.fromkeys(groups))
    if len(folds) < 2:
        raise ValueError("two groups of runs are needed")
    if not (np.isfinite(features).all() and np.isfinite(y).all()):
        raise ValueError("every run needs a finite value")
    of_run = np.array([folds.index(group) for group in groups])
    missed = total = 0.0
    for fold in range(len(folds)):
        out = of_run == fold
        mean = float(y[~out].mean())
        total += float(((y[out] - mean) ** 2).sum())
        missed += float(((y[out] - mean - _predicted(features, y - mean, out)) ** 2).sum())
    return 1 - missed / total if total > 0 else float("nan")


def gain(known: Array, predictor: Array, y: Array, groups: Sequence[Hashable]) -> float:
    """Out-of-fold R^2 with the predictor [runs] beside what is known [k, runs], less without."""
    together = np.vstack([known, predictor[None]])
    return out_of_fold(together, y, groups) - out_of_fold(known, y, groups)


def gain_interval(
    known: Array,
    predictor: Array,
    y: Array,
    groups: Sequence[Hashable],
    generator: np.random.Generator,
    *,
    replicates: int = 500,
) -> Interval:
    """Percentile interval of the gain over drawn groups.

    A group that is drawn twice stays one fold: it never predicts itself. Few groups make it rough:
    below ten it is a picture of the spread rather than an interval that holds its level.
    """
    folds = list(dict.fromkeys(groups))
    of_run = np.array([folds.index(group) for group in groups])
    gains: list[float] = []
    while len(gains) < replicates:
        chosen = generator.integers(0, len(folds), len(folds))
        if len(set(chosen.tolist())) < 2:
            continue
        runs = np.concatenate([np.flatnonzero(of_run == fold) for fold in chosen])
        drawn = gain(known[:, runs], predictor[runs], y[runs], of_run[runs].tolist())
        if np.isfinite(drawn):
            gains.append(drawn)
    return percentile(np.array(gains))


def _predicted(features: Array, y: Array, out: NDArray[np.bool_]) -> Array:
    """Predictions of the runs that are `out` from the others; y is centred on the others."""
    inside, outside = features[:, ~out].T, features[:, out].T
    centre = inside.mean(0)
    scale = inside.std(0)
    used = scale > 1e-12 * np.abs(inside).max(0, initial=0.0)
    inside = (inside - centre)[:, used] / scale[used]
    slopes = np.linalg.lstsq(inside, y[~out], rcond=1e-8)[0]
    predicted: Array = ((outside - centre)[:, used] / scale[used]) @ slopes
    return predicted
