"""Robust summaries over runs and over splits or tasks, with stratified intervals.

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
    scores: Array,
    clusters: NDArray[np.int64],
    aggregate: Aggregate,
    generator: np.random.Generator,
    *,
    replicates: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of an aggregate of scores [runs, tasks] over drawn clusters of runs.

    Clusters (pretraining seeds) are drawn with replacement, then runs within each drawn cluster;
    a drawn run brings its scores on all tasks.

    Raises:
        ValueError: fewer than two clusters: their spread is unknown.
    """
    names = np.unique(clusters)
    if names.size < 2:
        raise ValueError("two clusters are needed for an interval")
    members = [np.flatnonzero(clusters == name) for name in names]
    drawn = np.array(
        [aggregate(scores[_drawn(members, generator)]) for _ in range(max(replicates, 1))]
    )
    return percentile(drawn, level)


def _drawn(members: list[NDArray[np.int64]], generator: np.random.Generator) -> NDArray[np.int64]:
    """Runs of clusters drawn with replacement, drawn with replacement within each."""
    chosen = generator.integers(0, len(members), len(members))
    sizes = np.array([len(each) for each in members])[chosen]
    places = (generator.random(int(sizes.sum())) * np.repeat(sizes, sizes)).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    runs: NDArray[np.int64] = np.concatenate([members[place] for place in chosen])
    drawn: NDArray[np.int64] = runs[np.repeat(starts, sizes) + places]
    return drawn
