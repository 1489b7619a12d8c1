import numpy as np
import pytest
from scipy import stats

from harness.statistics.comparison import holm, relabel_test, sign_flip_test, tie_groups


def test_the_paired_test_is_that_of_scipy():
    values = np.random.default_rng(0).normal(0.4, 1, 9)
    theirs = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    ours = sign_flip_test(values, np.random.default_rng(0))
    assert ours == pytest.approx(theirs.pvalue)


def test_the_unpaired_test_is_that_of_scipy():
    generator = np.random.default_rng(1)
    first, second = generator.normal(0, 1, 6), generator.normal(0.8, 1, 5)
    theirs = stats.permutation_test(
        (first, second),
        lambda x, y: abs(np.mean(x) - np.mean(y)),
        n_resamples=np.inf,
        alternative="greater",
    )
    assert relabel_test(first, second, generator) == pytest.approx(theirs.pvalue)


def test_many_seeds_are_sampled_and_agree_with_the_normal_limit():
    generator = np.random.default_rng(2)
    values = generator.normal(0.3, 1, 40)
    z = values.mean() / (values.std() / 40**0.5)
    assert sign_flip_test(values, generator) == pytest.approx(2 * stats.norm.sf(z), abs=0.02)


def test_five_seeds_cannot_reach_five_percent():
    assert sign_flip_test(np.ones(5), np.random.default_rng(0)) == 1 / 16


@pytest.mark.slow
@pytest.mark.parametrize("icc", [0.0, 0.5, 0.85])
@pytest.mark.parametrize(("a", "b"), [(8, 5), (10, 10), (7, 10)])
def test_equal_procedures_are_called_different_in_five_of_a_hundred(a, b, icc):
    """Where runs of a seed are alike a t test over all runs is wrong up to half the time."""
    generator = np.random.default_rng(3)
    hits = naive = 0
    for _ in range(1500):
        seeds = generator.normal(0, icc**0.5, (a, 1))
        runs = seeds + generator.normal(0, (1 - icc) ** 0.5, (a, b))
        hits += sign_flip_test(runs.mean(1), generator) <= 0.05
        naive += stats.ttest_1samp(runs.ravel(), 0).pvalue <= 0.05
    assert 0.03 <= hits / 1500 <= 0.07
    assert icc < 0.5 or naive / 1500 > 0.2


def test_procedures_that_differ_share_no_group():
    p = np.array([[1, 0.6, 0.0001], [0.6, 1, 0.0002], [0.0001, 0.0002, 1]])
    assert tie_groups([0.9, 0.91, 0.5], p) == [(1, 0), (2,)]


def test_procedures_that_cannot_be_told_apart_share_one_group():
    assert tie_groups([1.0, 2.0, 3.0], np.full((3, 3), 0.5)) == [(2, 1, 0)]


def test_holm_corrects_for_the_number_of_pairs():
    p = np.full((4, 4), 0.01)
    assert holm(p)[0, 1] == pytest.approx(0.06)


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="finite"):
        sign_flip_test(np.array([np.nan]), np.random.default_rng(0))
