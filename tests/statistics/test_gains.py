"""Gains of many predictors at once are those of one at a time."""

import numpy as np
import pytest

from harness.statistics.gains import drawn_groups, gain_draws, gains, r2_draws
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
