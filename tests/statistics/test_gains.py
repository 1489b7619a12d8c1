"""Gains of many predictors at once are those of one at a time."""

import numpy as np
import pytest

from harness.statistics.gains import (
    drawn_groups,
    drawn_interval,
    gain_draws,
    gains,
    r2_draws,
    spared,
)
from harness.statistics.incremental import gain, out_of_fold

GROUPS = np.repeat(range(7), 4).tolist()


def scene(seed, known=2, predictors=3):
    generator = np.random.default_rng(seed)
    return (
        generator.normal(size=(known, 28)),
        generator.normal(size=(predictors, 28)) * [[1.0], [1e4], [1e-5]],
        generator.normal(size=28),
    )


@pytest.mark.parametrize("known", [0, 1, 3])
def test_gains_are_those_of_regressions_one_by_one(known):
    controls, xs, y = scene(known, known)
    one_by_one = [gain(controls, x, y, GROUPS) for x in xs]
    assert gains(controls, xs, y, GROUPS) == pytest.approx(one_by_one, abs=1e-9)


def test_a_drawn_group_counts_as_often_as_it_was_drawn():
    controls, xs, y = scene(5)
    weights = drawn_groups(7, 20, np.random.default_rng(0))
    found = gain_draws(controls, xs, y, GROUPS, weights)
    for drawn, row in zip(weights, found, strict=True):
        runs = np.concatenate(
            [np.tile(np.flatnonzero(np.array(GROUPS) == g), int(n)) for g, n in enumerate(drawn)]
        )
        groups = np.array(GROUPS)[runs].tolist()
        slow = [gain(controls[:, runs], x[runs], y[runs], groups) for x in xs]
        assert row == pytest.approx(slow, abs=1e-7)


def test_what_only_repeats_what_is_known_adds_nothing():
    controls, _, y = scene(6)
    assert gains(controls, controls[:1] * 3 + 1, y, GROUPS) == pytest.approx([0.0], abs=1e-9)


def test_equal_scores_have_no_gain():
    controls, xs, _ = scene(7)
    assert np.isnan(gains(controls, xs, np.ones(28), GROUPS)).all()


def test_one_group_cannot_be_left_out():
    controls, xs, y = scene(8)
    with pytest.raises(ValueError, match="two groups"):
        gains(controls, xs, y, [0] * 28)


def test_r2_of_features_together_is_that_of_one_regression_where_groups_count_as_drawn():
    features, _, noise = scene(3, known=3)
    y = features.sum(0) + noise
    weights = np.vstack([np.ones(7), drawn_groups(7, 10, np.random.default_rng(0))])
    found = r2_draws(features, y, GROUPS, weights)
    for drawn, r2 in zip(weights, found, strict=True):
        runs = np.concatenate(
            [np.tile(np.flatnonzero(np.array(GROUPS) == g), int(n)) for g, n in enumerate(drawn)]
        )
        groups = np.array(GROUPS)[runs].tolist()
        assert r2 == pytest.approx(out_of_fold(features[:, runs], y[runs], groups), abs=1e-7)


def test_a_draw_leaves_the_runs_of_the_other_drawn_groups_once_each():
    groups = ["a"] * 2 + ["b"] * 3 + ["c"] * 4
    weights = np.array([[1, 1, 1], [2, 1, 0], [0, 1, 2]])
    # without c, b and c: 5, 2 and 3 runs are left
    for left in range(1, 6):
        assert spared(left - 3, groups, weights).tolist() == [left <= 5, left <= 2, left <= 3]


def test_an_interval_takes_draws_with_enough_runs_and_four_of_five_of_them():
    draws = np.concatenate([np.full(20, -1e6), np.linspace(0, 1, 80)])
    around = drawn_interval(draws, draws > -1)
    assert 0 < around.low < around.high < 1
    assert drawn_interval(draws, draws > 0.01) is None


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "known"), [(8, 1), (8, 3), (12, 2), (16, 3), (20, 5)])
def test_noise_is_seldom_said_to_add_anything(runs, known):
    generator, above = np.random.default_rng(0), 0
    for _ in range(100):
        controls, xs = generator.normal(size=(known, runs)), generator.normal(size=(1, runs))
        weights = drawn_groups(runs, 200, generator)
        given = (controls, xs, generator.normal(size=runs), range(runs), weights)
        around = drawn_interval(gain_draws(*given)[:, 0], spared(known + 1, range(runs), weights))
        above += around is not None and around.low > 0
    assert above <= 5
