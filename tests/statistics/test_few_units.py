"""Intervals from few seeds: exact where they are Student's, and cover the truth."""

import math

import numpy as np
import pytest
from scipy import stats

from harness.statistics.few_units import DrawnLevel, expanded_level, stretch
from harness.statistics.intervals import percentile
from harness.statistics.multibootstrap import Arm, multi_bootstrap
from harness.statistics.resampling import Grid, Levels

SEEDS = Levels(examples=False)


def grid(a, b):
    return Grid(tuple(np.repeat(range(a), b).tolist()), tuple(np.tile(range(b), a).tolist()))


def drawn(values, levels=SEEDS, replicates=2000):
    arm = Arm(grid(*values.shape), values.reshape(-1, 1))
    return multi_bootstrap([arm], replicates, np.random.default_rng(0), levels=levels)


def test_one_level_is_stretched_to_the_width_of_students_interval():
    values = stats.norm.ppf((np.arange(12) + 0.5) / 12)  # even: no acceleration
    levels = Levels(finetune=False, examples=False)
    found = drawn(values[:, None], levels, 50_000).stretched()
    half = stats.t.ppf(0.975, 11) * stats.sem(values)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.03)


def test_two_procedures_without_common_seeds_have_welchs_degrees_of_freedom():
    one, other = np.random.default_rng(2).normal(size=5), np.random.default_rng(3).normal(size=9)
    levels = [DrawnLevel((each - each.mean()) / each.size) for each in (one, other)]
    welch = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    by = stretch(levels, np.zeros(1), 1.0, 0.95, complete=True)
    assert by * stats.norm.ppf(0.975) == pytest.approx((welch.high - welch.low) / 2)


@pytest.mark.parametrize("design", ["crossed", "nested"])
def test_what_two_levels_both_count_is_taken_out_once(design):
    a, b = 6, 4
    generator = np.random.default_rng(4)
    values = generator.normal(size=(a, b))
    values += 4 * generator.normal(size=(a, 1)) + 2 * generator.normal(size=(1, b))
    found = drawn(values, Levels(examples=False, design=design), 20)
    rows, columns = values.mean(1), values.mean(0)
    rest = values - rows[:, None] - columns + values.mean()
    unbiased = rows.var(ddof=1) / a
    if design == "crossed":
        interaction = (rest**2).sum() / ((a - 1) * (b - 1)) / (a * b)
        unbiased += columns.var(ddof=1) / b - interaction
    whole = sum(level.variance for level in found.levels[0])
    assert whole - (found.overlaps[0] ** 2).sum() == pytest.approx(unbiased)


@pytest.mark.parametrize("scores", [(0.71, 0.74), (0.70, 0.75), (0.6, 0.9)])
@pytest.mark.parametrize("examples", [False, True])
def test_two_seeds_have_an_interval_to_both_sides(scores, examples):
    levels = Levels(pretrain=False, examples=examples)
    arm = Arm(grid(1, 2), np.repeat(scores, 40).reshape(2, 40))  # the same on every example
    found = multi_bootstrap([arm], 2000, np.random.default_rng(0), levels=levels)
    plain, wide, estimate = found.interval(), found.stretched(), found.estimates[0]
    assert (plain.low, plain.high) == pytest.approx(scores)
    assert estimate - wide.low == pytest.approx(wide.high - estimate, rel=1e-4)


def test_runs_within_fixed_pretraining_seeds_have_the_variance_and_freedom_within_each():
    generator = np.random.default_rng(7)
    values = generator.normal(size=(5, 1)) + generator.normal(size=(5, 3))
    levels = Levels(pretrain=False, examples=False, design="nested")
    (level,) = drawn(values, levels, 20).levels[0]
    assert level.variance == pytest.approx(values.var(axis=1, ddof=1).mean() / 15)
    assert level.freedom == pytest.approx(10)
    by = stretch([level], np.zeros(1), level.variance, 0.95, complete=True)
    assert by == pytest.approx(stats.t.ppf(0.975, 10) / stats.norm.ppf(0.975))


def test_small_strata_with_most_of_the_variance_leave_few_degrees_of_freedom():
    strata = np.repeat([0, 1, 2, 3], [8, 2, 8, 2])
    level = DrawnLevel(np.ones(20), strata)
    parts = np.array([1 / 8, 1 / 2, 1 / 8, 1 / 2])
    welch = parts.sum() ** 2 / (parts**2 / np.array([7, 1, 7, 1])).sum()
    assert level.freedom == pytest.approx(welch)
    assert DrawnLevel(np.ones(7)).freedom == pytest.approx(6)


def test_percentiles_go_farther_out_with_few_units_and_keep_replicates_beyond():
    replicates = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    plain, wide = percentile(replicates), percentile(replicates, units=8)
    far = math.sqrt(8 / 7) * stats.t.ppf(0.975, 7)
    assert plain.high == pytest.approx(1.96, abs=0.01)
    assert (wide.low, wide.high) == pytest.approx((-far, far), abs=0.03)
    few = percentile(replicates, units=3)
    assert (replicates > few.high).sum() == 5


def test_one_unit_tells_nothing():
    with pytest.raises(ValueError, match="one"):
        expanded_level(1, 0.95, 2000)
    assert stretch([DrawnLevel(np.zeros(1))], np.zeros(1), 1.0, 0.95, complete=True) == 1


def test_an_interval_that_is_told_is_stretched_and_ends_where_a_score_does():
    found = drawn(np.array([[0.9], [0.99], [0.97]]), Levels(finetune=False, examples=False))
    wide, told = found.stretched(), found.told(within=(0.0, 1.0))
    assert wide.high > 1.0
    assert (told.low, told.high) == (wide.low, 1.0)


@pytest.mark.parametrize(
    ("shape", "levels"),
    [
        ((1, 4), Levels(examples=False)),
        ((4, 1), Levels(pretrain=False, examples=False)),
        ((4, 1), Levels(pretrain=False, examples=False, design="nested")),
    ],
)
def test_nothing_is_told_of_other_seeds_from_one(shape, levels):
    assert drawn(np.random.default_rng(9).normal(size=shape), levels).told() is None


def test_examples_alone_are_enough_of_them_to_tell_a_plain_interval():
    levels = Levels(pretrain=False, finetune=False)
    arm = Arm(grid(1, 1), np.random.default_rng(10).random((1, 50)))
    found = multi_bootstrap([arm], 500, np.random.default_rng(0), levels=levels)
    assert found.told() == found.interval()


def test_one_fine_tuning_seed_is_no_reason_not_to_stretch_over_pretraining_seeds():
    """A procedure of 5 x 1 runs beside one of 5 x 3, so that fine-tuning seeds are drawn."""
    few, many = (np.random.default_rng(11).normal(size=(5, b)) for b in (1, 3))
    arms = [Arm(grid(*each.shape), each.reshape(-1, 1)) for each in (few, many)]
    generator = np.random.default_rng(0)
    found = multi_bootstrap(arms, 2000, generator, levels=SEEDS, paired=False)
    alone = drawn(few, Levels(finetune=False, examples=False)).told()
    assert found.told().high - found.told().low == pytest.approx(alone.high - alone.low, rel=0.1)
    plain, wide = found.difference(paired=False).interval(), found.difference(paired=False).told()
    assert wide.high - wide.low > 1.2 * (plain.high - plain.low)


def coverage(a, b, icc, rounds, *, share=0.5):
    """How often plain and stretched intervals hold the mean; the rest of the variance is split."""
    generator = np.random.default_rng(5)
    held = np.zeros(2)
    for _ in range(rounds):
        scores = (
            generator.normal(0, icc**0.5, (a, 1))
            + generator.normal(0, ((1 - icc) * share) ** 0.5, (1, b))
            + generator.normal(0, ((1 - icc) * (1 - share)) ** 0.5, (a, b))
        )
        arm = Arm(grid(a, b), scores.reshape(-1, 1))
        found = multi_bootstrap([arm], 1000, generator, levels=SEEDS)
        held += [each.low <= 0 <= each.high for each in (found.interval(), found.stretched())]
    plain, stretched = held / rounds
    return plain, stretched


@pytest.mark.slow
@pytest.mark.parametrize("icc", [0.0, 0.5, 0.85])
@pytest.mark.parametrize(("a", "b"), [(5, 5), (8, 4), (5, 10), (10, 10)])
def test_intervals_cover_the_truth_with_five_seeds_and_more(a, b, icc):
    plain, stretched = coverage(a, b, icc, 600)
    assert 0.92 <= stretched <= 0.98
    assert abs(stretched - 0.95) <= abs(plain - 0.95) + 0.015


@pytest.mark.slow
def test_plain_intervals_of_three_seeds_are_far_too_narrow():
    plain, stretched = coverage(3, 3, 0.85, 600)
    assert plain < 0.85
    assert 0.91 <= stretched <= 0.98  # for normal effects, and wide


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "least"), [(2, 0.88), (3, 0.91), (5, 0.93)])
def test_intervals_of_few_seeds_of_one_kind_cover_the_truth(seeds, least):
    levels = Levels(pretrain=False, examples=False)
    generator, held, rounds = np.random.default_rng(6), 0, 1000
    for _ in range(rounds):
        arm = Arm(grid(1, seeds), generator.normal(0.7, 0.02, (seeds, 1)))
        found = multi_bootstrap([arm], 1000, generator, levels=levels).stretched()
        held += found.low <= 0.7 <= found.high
    assert least <= held / rounds <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("a", "b"), [(10, 2), (5, 2), (5, 3), (3, 5)])
def test_intervals_over_runs_within_fixed_pretraining_seeds_cover_the_mean_of_these(a, b):
    levels = Levels(pretrain=False, examples=False, design="nested")
    generator, held, rounds = np.random.default_rng(8), 0, 600
    for _ in range(rounds):
        effects = generator.normal(size=(a, 1))
        arm = Arm(grid(a, b), (effects + generator.normal(size=(a, b))).reshape(-1, 1))
        found = multi_bootstrap([arm], 1000, generator, levels=levels).stretched()
        held += found.low <= effects.mean() <= found.high
    assert 0.92 <= held / rounds <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("icc", [0.0, 0.5, 0.85])
@pytest.mark.parametrize("sizes", [(1, 2, 3, 4, 5), (2, 2, 2, 8, 8), (1, 1, 1, 1, 1, 6, 6, 6)])
def test_intervals_over_groups_of_different_sizes_cover_the_mean_of_groups(sizes, icc):
    """What `analyze` draws of a table whose groups differ in size."""
    pretrain = tuple(np.repeat(range(len(sizes)), sizes).tolist())
    within = Grid(pretrain, tuple(range(len(pretrain))))
    levels = Levels(examples=False, design="nested")
    generator, held, rounds = np.random.default_rng(12), 0, 600
    for _ in range(rounds):
        scores = generator.normal(0, icc**0.5, len(sizes))[list(pretrain)]
        scores += generator.normal(0, (1 - icc) ** 0.5, len(pretrain))
        found = multi_bootstrap([Arm(within, scores[:, None])], 1000, generator, levels=levels)
        told = found.told()
        held += told.low <= 0 <= told.high
    assert 0.91 <= held / rounds <= 0.985
