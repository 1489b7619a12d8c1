import itertools
import math

import numpy as np
import pytest

from harness.statistics.hyperparameters import (
    conditional_mutual_information,
    granulated_kendall,
    robust_sign_error,
    sign_weight,
)


def grid(*sizes):
    """Every setting once: values per axis, and the axes as they are asked for."""
    settings = np.array(list(itertools.product(*(range(size) for size in sizes))))
    return settings, {f"hp{n}": settings[:, n].tolist() for n in range(len(sizes))}


def test_a_measure_that_follows_one_axis_only_is_granulated_axis_by_axis():
    settings, axes = grid(3, 4)
    y = 10.0 * settings[:, 0] + settings[:, 1]
    x = 10.0 * settings[:, 0] - settings[:, 1]  # right on one axis, wrong on the other
    found = granulated_kendall(x, y, axes)
    assert found.by_axis == {"hp0": 1.0, "hp1": -1.0}
    assert found.mean == 0


def test_an_axis_on_which_nothing_varies_is_not_counted():
    settings, axes = grid(3, 2)
    y = settings[:, 0].astype(float)
    found = granulated_kendall(y, y, axes)
    assert found.by_axis["hp0"] == 1
    assert math.isnan(found.by_axis["hp1"])
    assert found.mean == 1


def test_a_measure_that_orders_runs_like_the_score_has_all_the_information():
    _, axes = grid(3, 3)
    y = np.random.default_rng(0).normal(size=9)
    assert conditional_mutual_information(np.exp(y), y, axes, most=0) == pytest.approx(1)
    assert conditional_mutual_information(-y, y, axes, most=0) == pytest.approx(1)


def test_information_without_conditions_is_that_of_a_two_by_two_table():
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(2, 8))
    pairs = [(i, j) for i in range(8) for j in range(8) if i != j]
    right = np.mean([np.sign(x[i] - x[j]) == np.sign(y[i] - y[j]) for i, j in pairs])
    exact = math.log(2) + right * math.log(right) + (1 - right) * math.log(1 - right)
    found = conditional_mutual_information(x, y, {}, most=0)
    assert found == pytest.approx(exact / math.log(2))


def test_what_a_hyper_parameter_tells_is_no_merit_of_the_measure():
    settings, axes = grid(6, 1)
    y = settings[:, 0].astype(float)
    assert conditional_mutual_information(y, y, axes, most=0) == pytest.approx(1)
    noisy = np.repeat(y, 20)
    both = {"hp0": np.repeat(settings[:, 0], 20).tolist()}
    generator = np.random.default_rng(2)
    score = 100 * noisy + generator.normal(size=120)
    measure = 100 * noisy + generator.normal(size=120)
    assert conditional_mutual_information(measure, score, both, most=0) > 0.5
    assert conditional_mutual_information(measure, score, both) < 0.2


def test_the_worst_environment_is_told_beside_the_mean():
    settings, axes = grid(2, 2)
    runs = np.repeat(settings, 6, axis=0)
    axes = {"hp0": runs[:, 0].tolist(), "hp1": runs[:, 1].tolist()}
    generator = np.random.default_rng(3)
    y = 0.3 * runs[:, 0] + 0.1 * runs[:, 1] + 0.001 * generator.normal(size=24)
    x = 0.3 * runs[:, 0] - 0.1 * runs[:, 1]
    found = robust_sign_error(x, y, axes)
    assert (found.mean, found.worst, found.environments) == (0.5, 1.0, 4)


def test_a_difference_that_may_be_noise_of_testing_has_no_weight():
    assert sign_weight(np.array([0.0, 0.01]), 10_000) == pytest.approx([0, 0])
    assert sign_weight(np.array([0.2]), 10_000) == pytest.approx(0.5)
    by_hand = (1 - 2 * math.exp(-2 * 10_000 * 0.02**2)) ** 2 - 0.5
    assert sign_weight(np.array([-0.04]), 10_000) == pytest.approx(by_hand)


def test_environments_of_few_certain_pairs_are_left_out():
    _, axes = grid(2)
    found = robust_sign_error(np.array([0.0, 1.0]), np.array([0.0, 1.0]), axes)
    assert found.environments == 0
    assert math.isnan(found.worst)
