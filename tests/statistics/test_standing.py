"""Robust summaries with weights are those of plain runs, drawn one by one."""

import numpy as np
import pytest
from scipy import stats

from harness.statistics import aggregates
from harness.statistics.standing import improvements, means, middles, profiles, worst_splits


def scene(runs=8, splits=3):
    """Scores, and two replicates: all runs evenly, and runs drawn by chance."""
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(runs, splits))
    drawn = generator.integers(0, runs, runs)
    weights = np.stack([np.full(runs, 1 / runs), np.bincount(drawn, minlength=runs) / runs])
    return scores, weights, scores[drawn]


@pytest.mark.parametrize(
    ("weighted", "plain"),
    [
        (means, aggregates.mean),
        (middles, aggregates.interquartile_mean),
        (worst_splits, aggregates.worst_task),
    ],
)
def test_a_weighted_summary_is_that_of_the_runs_as_often_as_they_were_drawn(weighted, plain):
    scores, weights, drawn = scene()
    assert weighted(scores, weights) == pytest.approx([plain(scores), plain(drawn)])


def test_a_weighted_profile_is_that_of_the_drawn_runs():
    scores, weights, drawn = scene()
    thresholds = np.linspace(-2, 2, 9)
    found = profiles(scores, weights, thresholds)
    assert found[1] == pytest.approx(aggregates.performance_profile(drawn, thresholds))


def test_the_chance_over_splits_is_the_mean_of_mann_whitneys_by_split():
    scores, weights, drawn = scene()
    theirs = scores + 0.3
    found = improvements(scores, theirs, (weights, weights))
    exact = np.mean(
        [stats.mannwhitneyu(drawn[:, s], drawn[:, s] + 0.3).statistic / 64 for s in range(3)]
    )
    assert found[1] == pytest.approx(exact)
