"""Robust summaries over runs and over splits or tasks, with intervals over drawn seeds.

Agarwal et al. 2021 (Deep RL at the edge of the statistical precipice, arXiv 2108.13264), with whole
seeds resampled: a seed's runs on all tasks stay together.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from harness.statistics.intervals import Interval, percentile

Array = NDArray[np.float64]
Aggregate = Callable[[Array], float]


def mean(scores: Array) -> float:
    """The mean of scores [..., runs, tasks]."""
    return float(scores.mean())


def interquartile_mean(scores: Array) -> float:
    """The mean of the middle half of all scores: 25 % trimmed at either end.

    >>> interquartile_mean(np.array([0.0, 1.0, 2.0, 99.0]))
    1.5
    """
    return float(stats.trim_mean(scores, 0.25, axis=None))


def worst_task(scores: Array) -> float:
    """The lowest of the tasks' means over runs [runs, tasks]."""
    return float(scores.mean(axis=0).min())


def worst_run(scores: Array) -> float:
    """The lowest of the runs' means over tasks [runs, tasks]."""
    return float(scores.mean(axis=-1).min())


def lower_quartile(scores: Array) -> float:
    """The lower quartile of the runs' means over tasks [runs, tasks]."""
    return float(np.quantile(scores.mean(axis=-1), 0.25))


def performance_profile(scores: Array, thresholds: Array) -> Array:
    """Shares of runs and tasks that score above each threshold: [thresholds]."""
    above: Array = (scores.reshape(-1) > np.asarray(thresholds)[:, None]).mean(axis=1)
    return above


def probability_of_improvement(ours: Array, theirs: Array) -> float:
    """P(X > Y) for a random run of either, ties counting half, averaged over tasks [runs, tasks].

    >>> probability_of_improvement(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]))
    0.625
    """
    greater = (ours[:, None] > theirs[None]).mean(axis=(0, 1))
    equal = (ours[:, None] == theirs[None]).mean(axis=(0, 1))
    return float((greater + equal / 2).mean())


def aggregate_interval(
    scores: Array, weights: Array, aggregate: Aggregate, *, units: int, level: float = 0.95
) -> Interval:
    """Percentile interval of an aggregate of scores [runs, tasks] over drawn runs.

    `weights` [replicates, runs] say which share each run has in a draw, in whole numbers of runs: a
    drawn run brings its scores on all tasks. The percentiles are those of so few drawn `units`.

    Raises:
        ValueError: fewer than two units: their spread is unknown.
    """
    often = np.rint(weights * weights.shape[1]).astype(np.int64)
    drawn = np.array([aggregate(np.repeat(scores, times, axis=0)) for times in often])
    return percentile(drawn, level, units=units)
