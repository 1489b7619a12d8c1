import itertools
import math

import numpy as np
import pytest
from scipy import stats

from harness.statistics.association import associations
from harness.statistics.layout import Layout, Repeated
from harness.statistics.power import (
    Pilot,
    detectable_difference,
    least_p,
    power_of_difference,
    power_of_tau,
    precision,
    seeds_for_width,
)


def crossed(a, b):
    return Layout(
        tuple(i for i in range(a) for _ in range(b)),
        tuple(j for _ in range(a) for j in range(b)),
    )


def test_with_independent_runs_the_half_width_is_the_t_interval():
    found = precision(Pilot(4.0, 0.0, None), 9, 1)
    assert found.standard_error == pytest.approx(2 / 3)
    assert found.half_width == pytest.approx(2 / 3 * stats.t.ppf(0.975, 8))


def test_the_standard_error_of_a_crossed_design_is_that_of_simulated_means():
    generator = np.random.default_rng(0)
    means = (
        generator.normal(0, 3, (20_000, 5)).mean(1)
        + generator.normal(0, 2, (20_000, 4)).mean(1)
        + generator.normal(0, 1, (20_000, 20)).mean(1)
    )
    assert precision(Pilot(9.0, 4.0, 1.0), 5, 4).standard_error == pytest.approx(
        means.std(), rel=0.02
    )


def test_the_fewest_seeds_are_enough_and_one_less_is_not():
    pilot = Pilot(1.0, 0.1, 0.5)
    for found in seeds_for_width(pilot, 0.8, (2, 4, 8)):
        assert found.half_width <= 0.8
        fewer = precision(pilot, found.pretrain_seeds - 1, found.finetune_seeds)
        assert found.pretrain_seeds == 2 or fewer.half_width > 0.8


def test_more_pretraining_seeds_do_not_make_up_for_too_few_fine_tuning_seeds():
    wide = Pilot(0.0, 4.0, 0.0)
    assert not seeds_for_width(wide, 0.5, (3,))
    assert seeds_for_width(Pilot(4.0, 0.0, None), 0.5, (3,))


def test_power_is_that_of_the_t_test():
    from math import sqrt

    generator = np.random.default_rng(1)
    samples = generator.normal(1.0, 2.0, (4000, 12))
    rejected = (stats.ttest_1samp(samples, 0, axis=1).pvalue <= 0.05).mean()
    found = power_of_difference(Pilot(4.0, 0.0, None), 1.0, 12, 1)
    assert found == pytest.approx(rejected, abs=4 * sqrt(0.25 / 4000))


def test_no_difference_is_found_as_often_as_alpha():
    assert power_of_difference(Pilot(1.0, 0.5, None), 0.0, 6, 3) == pytest.approx(0.05)


def test_the_detectable_difference_has_the_wanted_power():
    pilot = Pilot(1.0, 0.3, 0.4)
    size = detectable_difference(pilot, 8, 4)
    assert power_of_difference(pilot, size, 8, 4) == pytest.approx(0.8)
    assert detectable_difference(pilot.doubled(), 8, 4) == pytest.approx(size * math.sqrt(2))


def test_one_pretraining_seed_tells_nothing():
    assert precision(Pilot(1.0, 1.0, 1.0), 1, 10).half_width == math.inf
    assert detectable_difference(Pilot(1.0, 1.0, 1.0), 1, 10) == math.inf


def test_a_design_whose_least_p_is_above_five_percent_is_known():
    assert least_p(crossed(2, 3)) == pytest.approx(1 / 12)
    assert least_p(crossed(3, 4)) < 0.01
    assert least_p(Layout.independent(3)) == pytest.approx(2 / 6)


def test_the_power_to_find_a_tau_grows_with_seeds_and_is_alpha_without_any():
    generator = np.random.default_rng(2)
    given = {"shares": (0.6, 0.0), "generator": generator, "rounds": 150, "permutations": 99}
    none = power_of_tau(0.0, crossed(8, 3), **given)
    few, many = (power_of_tau(0.5, crossed(a, 3), **given) for a in (5, 16))
    assert none < 0.12
    assert few < many
    assert many > 0.8


def test_the_power_for_independent_runs_is_that_of_the_literature():
    """A Kendall tau of .3 over 100 BERTs, subsampled: .23 at n = 10, .48 at 20."""
    generator = np.random.default_rng(3)
    given = {"shares": (0.0, 0.0), "generator": generator, "rounds": 400, "permutations": 199}
    assert power_of_tau(0.303, Layout.independent(20), **given) == pytest.approx(0.45, abs=0.08)


def test_two_seeds_detect_what_is_many_times_their_spread():
    size = detectable_difference(Pilot(1.0, 0.0, None), 2, 1)
    found = power_of_difference(Pilot(1.0, 0.0, None), size, 2, 1)
    assert found == pytest.approx(0.8, abs=1e-6)
    assert size > 5


def test_a_difference_downwards_is_found_as_often_as_one_upwards():
    pilot = Pilot(1.0, 0.2, 0.5)
    up, down = (power_of_difference(pilot, size, 6, 3) for size in (0.9, -0.9))
    assert up == pytest.approx(down)


def test_seeds_of_one_run_each_can_be_reversed_so_that_two_arrangements_reach_the_largest_tau():
    alone = Layout((0, 1, 2, 3), (0, 0, 0, 0))
    assert least_p(alone) == pytest.approx(2 / 24)
    y = np.arange(4.0)[None]
    every = np.array(list(itertools.permutations(range(4))))
    taus = np.abs(associations("kendall", y, y[0], every)[0])
    assert (taus >= 1 - 1e-9).mean() == pytest.approx(least_p(alone))
    assert least_p(Repeated(alone, 1)) == pytest.approx(2 / 24)
    assert least_p(Repeated(alone, 2)) == pytest.approx(1 / 24)


def test_a_difference_that_is_far_beyond_doubt_has_full_power():
    assert power_of_difference(Pilot(1.0, 0.0, None), 1e6, 2, 1, alpha=1e-5) == pytest.approx(1.0)
    strict = detectable_difference(Pilot(1.0, 0.0, None), 2, 1, alpha=1e-5)
    mild = detectable_difference(Pilot(1.0, 0.0, None), 2, 1, alpha=1e-3)
    assert strict == pytest.approx(100 * mild, rel=0.01)


def test_a_test_that_rejects_anyhow_as_often_as_wanted_detects_any_difference():
    assert detectable_difference(Pilot(1.0, 0.1, None), 5, 1, power=0.04) == 0.0
