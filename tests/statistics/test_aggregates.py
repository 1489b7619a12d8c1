import numpy as np
import pytest
from scipy import stats

from harness.statistics.aggregates import (
    aggregate_interval,
    interquartile_mean,
    lower_quartile,
    mean,
    performance_profile,
    probability_of_improvement,
    worst_run,
    worst_task,
)
from harness.statistics.resampling import Grid, Levels, drawn_weights

SCORES = np.array([[0.9, 0.5], [0.7, 0.3], [0.8, 0.1], [0.6, 0.7]])


def drawn(grid, replicates=400, *, design="nested"):
    levels = Levels(examples=False, design=design)
    generator = np.random.default_rng(0)
    return drawn_weights([grid], replicates, generator, levels, paired=False)[0]


def test_aggregates_by_hand():
    assert mean(SCORES) == pytest.approx(0.575)
    assert worst_task(SCORES) == pytest.approx(0.4)
    assert worst_run(SCORES) == pytest.approx(0.45)
    assert lower_quartile(SCORES) == pytest.approx(0.4875)
    assert interquartile_mean(SCORES) == pytest.approx(np.mean([0.5, 0.6, 0.7, 0.7]))


def test_one_wild_score_does_not_move_the_interquartile_mean():
    wild = np.where(SCORES == 0.9, 1e9, SCORES)
    assert interquartile_mean(wild) == pytest.approx(interquartile_mean(SCORES))


def test_a_profile_falls_from_one_to_nothing():
    profile = performance_profile(SCORES, np.array([0.0, 0.5, 1.0]))
    assert profile == pytest.approx([1, 5 / 8, 0])


def test_the_probability_of_improvement_is_the_mann_whitney_statistic():
    generator = np.random.default_rng(0)
    ours, theirs = generator.integers(0, 9, (12, 1)), generator.integers(0, 8, (15, 1))
    u = stats.mannwhitneyu(ours[:, 0], theirs[:, 0]).statistic
    assert probability_of_improvement(ours, theirs) == pytest.approx(u / (12 * 15))
    assert probability_of_improvement(theirs, ours) == pytest.approx(1 - u / (12 * 15))


def test_an_interval_over_clusters_is_wider_than_one_that_takes_runs_for_independent():
    generator = np.random.default_rng(1)
    seeds = generator.normal(0, 1, 10)
    scores = (np.repeat(seeds, 8) + generator.normal(0, 0.1, 80))[:, None]
    clusters = Grid(tuple(np.repeat(range(10), 8).tolist()), tuple(np.tile(range(8), 10).tolist()))
    whole = aggregate_interval(scores, drawn(clusters, 2000), mean, units=10)
    naive = aggregate_interval(scores, drawn(Grid(tuple(range(80)), (0,) * 80)), mean, units=80)
    assert whole.high - whole.low > 2 * (naive.high - naive.low)
    exact = 2 * stats.t.ppf(0.975, 9) * np.std(seeds, ddof=1) / 10**0.5
    assert whole.high - whole.low == pytest.approx(exact, rel=0.2)


def test_scores_of_a_crossed_design_share_the_drawn_fine_tuning_seeds():
    orders = np.random.default_rng(2).normal(size=5)
    scores = np.tile(orders, 8)[:, None]
    grid = Grid(tuple(np.repeat(range(8), 5).tolist()), tuple(np.tile(range(5), 8).tolist()))
    ends = {
        design: aggregate_interval(scores, drawn(grid, design=design), worst_task, units=8)
        for design in ("crossed", "nested")
    }
    widths = {design: each.high - each.low for design, each in ends.items()}
    assert widths["crossed"] > 2 * widths["nested"]


def test_one_unit_has_no_interval():
    with pytest.raises(ValueError, match="from one"):
        aggregate_interval(SCORES, np.full((9, 4), 0.25), mean, units=1)
