import numpy as np
import pytest
from scipy import stats

from harness.statistics.comparison import (
    least_p_of_labels,
    least_p_of_signs,
    relabel_test,
    seeds_to_reach,
    sign_flip_test,
)
from harness.statistics.resampling import Grid, Levels, drawn_weights
from harness.statistics.superiority import lower_quantiles, win_rates

ALL = np.random.default_rng(0)


def even(runs):
    return np.full((1, runs), 1 / runs)


def test_the_win_rate_is_that_of_mann_and_whitney():
    generator = np.random.default_rng(1)
    ours, theirs = generator.integers(0, 6, 9) / 1.0, generator.integers(0, 6, 7) / 1.0
    (found,) = win_rates(ours, theirs, (even(9), even(7)))
    expected = stats.mannwhitneyu(ours, theirs).statistic / (9 * 7)
    assert found == pytest.approx(expected)


def test_equal_runs_win_half_the_time():
    assert win_rates(np.ones(3), np.ones(2), (even(3), even(2))) == pytest.approx(0.5)


def test_an_interval_of_the_win_rate_covers_the_truth_when_runs_of_a_seed_are_alike():
    generator = np.random.default_rng(2)
    grid = Grid(tuple(np.repeat(range(15), 3)), tuple(range(45)))
    nested = Levels(examples=False, design="nested")
    covered = 0
    for _ in range(200):
        ours = np.repeat(generator.normal(0.5, 1, 15), 3) + generator.normal(0, 0.3, 45)
        theirs = np.repeat(generator.normal(0, 1, 15), 3) + generator.normal(0, 0.3, 45)
        weights = drawn_weights([grid, grid], 400, generator, nested, paired=False)
        low, high = np.quantile(win_rates(ours, theirs, (weights[0], weights[1])), [0.025, 0.975])
        truth = stats.norm.cdf(0.5 / (2 * (1 + 0.09)) ** 0.5)
        covered += low <= truth <= high
    assert 0.87 <= covered / 200 <= 0.99


def test_the_lower_quartile_is_a_score_that_was_reached():
    scores = np.arange(8.0)
    assert lower_quantiles(scores, even(8)) == [1.0]
    assert lower_quantiles(scores, even(8), 1.0) == [7.0]
    assert lower_quantiles(np.array([5.0]), even(1)) == [5.0]


def test_weights_move_the_lower_quartile():
    weights = np.array([[0.1, 0.1, 0.8], [0.6, 0.2, 0.2], [0.0, 0.0, 1.0]])
    assert lower_quantiles(np.array([1.0, 2.0, 3.0]), weights).tolist() == [3.0, 1.0, 3.0]


@pytest.mark.parametrize("seeds", [1, 2, 5, 6, 9])
def test_no_flipped_signs_give_less_than_the_least_p(seeds):
    assert sign_flip_test(np.arange(1.0, seeds + 1), ALL) == least_p_of_signs(seeds)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 5), (3, 3), (4, 4), (3, 6)])
def test_no_exchanged_labels_give_less_than_the_least_p(sizes):
    ours, theirs = np.arange(sizes[0]) + 100.0, np.arange(sizes[1]) / 1.0
    assert relabel_test(ours, theirs, ALL) == pytest.approx(least_p_of_labels(*sizes))


def test_more_comparisons_need_more_seeds():
    assert seeds_to_reach(0.05 / 10, paired=True) == 9
    assert seeds_to_reach(0.05 / 10, paired=False) == 6


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e8])
def test_p_is_not_below_the_least_p_where_scores_are_far_from_zero(offset):
    ours, theirs = offset + 0.1 * np.arange(1, 5), offset + 31.4 + 0.1 * np.arange(1, 5)
    assert relabel_test(ours, theirs, ALL) == pytest.approx(least_p_of_labels(4, 4))


def test_differences_may_be_as_small_as_they_like():
    assert sign_flip_test(np.full(6, 1e-13), ALL) == least_p_of_signs(6)
