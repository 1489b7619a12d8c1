"""Slopes when runs and examples are drawn anew; seeds apart from testing over plain runs."""

import numpy as np
import pytest
from scipy import stats

from harness.statistics.line import fit_line
from harness.statistics.line_draws import accuracies_drawn, slope_draws, slope_interval
from harness.statistics.sampling import separate_runs
from harness.statistics.transfer import scaling_draws


def test_a_draw_of_every_run_once_is_the_line_itself():
    generator = np.random.default_rng(0)
    x = generator.uniform(0.4, 0.9, 15)
    y = np.clip(x - 0.1 + generator.normal(0, 0.03, 15), 0.05, 0.95)
    for scale in ("probit", "logit", "linear"):
        (slope,) = slope_draws(x, y, np.ones((1, 15)), scale)
        assert slope == pytest.approx(fit_line(x, y, scale).slope)


def test_a_weight_is_as_good_as_a_run_that_is_there_so_often():
    x, y = np.array([0.5, 0.6, 0.7, 0.8]), np.array([0.3, 0.5, 0.45, 0.7])
    (slope,) = slope_draws(x, y, np.array([[2, 0, 1, 3]]) / 6, "probit")
    places = [0, 0, 2, 3, 3, 3]
    assert slope == pytest.approx(fit_line(x[places], y[places]).slope)


def test_a_draw_of_one_run_has_no_slope():
    x = np.array([0.5, 0.6, 0.7])
    slopes = slope_draws(x, x, np.array([[3.0, 0, 0], [1, 1, 1]]), "probit")
    assert np.isnan(slopes[0])
    assert slopes[1] == pytest.approx(1)
    with pytest.raises(ValueError, match="most draws have no slope"):
        slope_interval(slopes[[0, 0, 1]])


def test_accuracies_on_drawn_examples_count_them_as_often_as_drawn():
    right = np.array([[True, False, True, False], [True, True, True, True]])
    counts = np.array([[2, 1, 0, 1], [0, 2, 2, 0]], dtype=np.float32)
    found = accuracies_drawn(right, counts)
    assert found == pytest.approx(np.array([[0.5, 0.875], [0.5, 0.875]]))


@pytest.mark.slow
def test_the_interval_covers_the_slope():
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        x = generator.normal(0.5, 0.5, 40)
        y = 0.8 * x - 0.4 + generator.normal(0, 0.1, 40)
        weights = generator.multinomial(40, [1 / 40] * 40, size=500) / 40
        around = slope_interval(slope_draws(stats.norm.cdf(x), stats.norm.cdf(y), weights))
        covered += around.low <= 0.8 <= around.high
    assert 0.88 <= covered / 200 <= 0.98


def test_separating_runs_is_the_mean_over_pairs_of_examples():
    values = (np.random.default_rng(2).random((6, 5)) < 0.6).astype(float)
    pairs = [
        np.cov(values[:, i], values[:, j], ddof=1)[0, 1]
        for i in range(5)
        for j in range(5)
        if i != j
    ]
    found = separate_runs(values)
    assert found.seeds == pytest.approx(np.mean(pairs))
    assert found.observed == pytest.approx(values.mean(axis=1).var(ddof=1))
    assert found.observed == pytest.approx(found.seeds + found.testing)
    with pytest.raises(ValueError, match="two runs and two examples"):
        separate_runs(values[:1])


def test_clusters_of_points_are_drawn_whole():
    x = np.linspace(0.05, 0.5, 8)
    y = 0.9 * x**1.5 + 0.1
    doubled = np.tile(x, 2), np.concatenate([y, y + 0.01])
    clusters = np.tile(np.arange(8), 2)
    for law in scaling_draws(*doubled, np.random.default_rng(0), 10, clusters):
        # a drawn cluster brings its lower point along, so that the hull is on the law itself
        assert law.residual < 1e-6
