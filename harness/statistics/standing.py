"""Robust summaries of runs with weights: of the estimate, and of all replicates at once.

Agarwal et al. 2021 (Deep RL at the edge of the statistical precipice, arXiv 2108.13264), with whole
seeds drawn: a drawn run brings its scores on all splits. Scores are [runs, splits], larger is
better; weights of runs [replicates, runs] sum to 1 (see `resampling.drawn_weights`).
"""

import numpy as np
from numpy.typing import NDArray

from harness.statistics.superiority import win_rates

Array = NDArray[np.float64]


def means(scores: Array, weights: Array) -> Array:
    """The mean over runs and splits: [replicates]."""
    found: Array = weights @ scores.mean(axis=1)
    return found


def middles(scores: Array, weights: Array) -> Array:
    """The mean of the middle half of all scores: [replicates]; a quarter is cut off at either end.

    >>> middles(np.array([[0.0], [1.0], [2.0], [99.0]]), np.full((1, 4), 0.25)).tolist()
    [1.5]
    """
    flat = scores.ravel()
    order = np.argsort(flat, kind="stable")
    each = np.repeat(weights, scores.shape[1], axis=1)[:, order] / scores.shape[1]
    ends = np.clip(each.cumsum(axis=1), 0.25, 0.75)
    starts = np.concatenate([np.full((len(ends), 1), 0.25), ends[:, :-1]], axis=1)
    found: Array = (ends - starts) @ flat[order] / 0.5
    return found


def worst_splits(scores: Array, weights: Array) -> Array:
    """The lowest of the splits' means: [replicates]."""
    found: Array = (weights @ scores).min(axis=1)
    return found


def profiles(scores: Array, weights: Array, thresholds: Array) -> Array:
    """The share of runs and splits that score above each threshold: [replicates, thresholds].

    >>> profiles(np.array([[1.0, 3.0]]), np.ones((1, 1)), np.array([0.0, 1.0, 2.0])).tolist()
    [[1.0, 0.5, 0.5]]
    """
    above = (scores[:, :, None] > thresholds).mean(axis=1)
    found: Array = weights @ above
    return found


def improvements(ours: Array, theirs: Array, weights: tuple[Array, Array]) -> Array:
    """Chance that a random run of ours does better than one of theirs, averaged over splits."""
    each = [win_rates(x, y, weights) for x, y in zip(ours.T, theirs.T, strict=True)]
    found: Array = np.mean(each, axis=0)
    return found
