import itertools

import numpy as np
import pytest
from scipy import stats

from harness.statistics import permutation
from harness.statistics.association import association
from harness.statistics.layout import Layout, complete
from harness.statistics.permutation import benjamini_hochberg, mantel, permutation_tests


def layout(a, b, design="crossed"):
    return Layout(
        tuple(i for i in range(a) for _ in range(b)),
        tuple(j for _ in range(a) for j in range(b)),
        design,
    )


def effects(a, b, icc, generator):
    """A quantity whose pretraining seeds carry `icc` of its variance."""
    seeds = generator.normal(0, icc**0.5, (a, 1))
    return (seeds + generator.normal(0, (1 - icc) ** 0.5, (a, b))).ravel()


@pytest.mark.parametrize("kind", ["kendall", "spearman", "pearson"])
def test_coefficients_are_those_of_scipy_ties_included(kind):
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 6, 30).astype(float), generator.integers(0, 5, 30).astype(float)
    theirs = {
        "kendall": stats.kendalltau,
        "spearman": stats.spearmanr,
        "pearson": stats.pearsonr,
    }[kind](x, y)
    assert association(kind, x, y) == pytest.approx(theirs.statistic)


def test_a_probit_coefficient_is_one_on_a_probit_line():
    x = np.linspace(-1, 1, 9)
    assert association("probit", x, stats.norm.cdf(0.4 * x - 0.3)) == pytest.approx(1)


def test_what_does_not_vary_has_no_coefficient():
    y = np.arange(5.0)
    for kind in ("kendall", "spearman", "pearson"):
        assert np.isnan(association(kind, np.full(5, 0.1), y))


def test_a_crossed_table_permutes_whole_rows_and_whole_columns():
    where = layout(3, 4)
    rows, columns = np.divmod(where.permutations(200, np.random.default_rng(1)), 4)
    rows, columns = rows.reshape(-1, 3, 4), columns.reshape(-1, 3, 4)
    assert (rows == rows[:, :, :1]).all()
    assert (columns == columns[:, :1, :]).all()
    assert len({tuple(row) for row in rows[:, :, 0].tolist()}) == 6
    assert len({tuple(row) for row in columns[:, 0].tolist()}) == 24


def test_a_nested_table_permutes_whole_rows_and_runs_within_them():
    rows, columns = np.divmod(layout(3, 2, "nested").permutations(300, np.random.default_rng(1)), 2)
    assert (rows.reshape(-1, 3, 2)[..., 0] == rows.reshape(-1, 3, 2)[..., 1]).all()
    assert len({tuple(order) for order in columns.tolist()}) == 8


def test_runs_may_come_in_any_order():
    """The table is found by labels, not by places."""
    cluster, member = zip(*itertools.product("ab", "xyz"), strict=True)
    shuffle = [4, 0, 5, 2, 3, 1]
    mixed = Layout(tuple(cluster[i] for i in shuffle), tuple(member[i] for i in shuffle))
    for order in mixed.permutations(50, np.random.default_rng(2)):
        moved = [(mixed.cluster[place], mixed.member[place]) for place in order]
        by_row = {}
        for here, (there, _) in zip(mixed.cluster, moved, strict=True):
            by_row.setdefault(here, set()).add(there)
        assert all(len(rows) == 1 for rows in by_row.values())


def test_the_number_of_arrangements_bounds_what_p_can_be():
    assert layout(5, 5).arrangements == 120 * 120
    assert layout(2, 3, "nested").arrangements == 2 * 6**2
    assert Layout.independent(4).arrangements == 24


def test_a_strong_relation_is_found_and_a_p_is_never_zero():
    generator = np.random.default_rng(3)
    x = effects(8, 5, 0.5, generator)
    (found,) = permutation_tests(x[None], x**3, layout(8, 5), generator, permutations=499)
    assert found.coefficient == pytest.approx(1)
    assert found.p == found.p_family == found.p_screen == 1 / 500


def test_all_permutations_of_independent_runs_give_the_exact_p():
    x, y = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 1.0, 3.0, 5.0, 4.0])
    taus = [abs(stats.kendalltau(x, np.array(p)).statistic) for p in itertools.permutations(y)]
    observed = stats.kendalltau(x, y).statistic
    exact = np.mean([tau >= observed - 1e-9 for tau in taus])
    (found,) = permutation_tests(
        x[None], y, Layout.independent(5), np.random.default_rng(0), permutations=20_000
    )
    assert found.p == pytest.approx(exact, abs=0.01)


def rejections(a, b, icc, design, rounds, test):
    generator = np.random.default_rng(12)
    where = layout(a, b, design)
    return np.mean(
        [
            test(effects(a, b, icc, generator), effects(a, b, icc, generator), where, generator)
            for _ in range(rounds)
        ]
    )


def ours(x, y, where, generator):
    return permutation_tests(x[None], y, where, generator, permutations=199)[0].p <= 0.05


def naive(x, y, where, generator):
    return stats.kendalltau(x, y).pvalue <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("icc", [0.0, 0.5, 0.85])
@pytest.mark.parametrize(("a", "b"), [(5, 5), (10, 10), (5, 10)])
def test_a_true_null_hypothesis_is_rejected_in_five_of_a_hundred(a, b, icc):
    assert 0.03 <= rejections(a, b, icc, "crossed", 60_000 // (a * b), ours) <= 0.07


@pytest.mark.slow
def test_a_true_null_hypothesis_is_rejected_in_five_of_a_hundred_when_seeds_are_nested():
    assert 0.03 <= rejections(6, 5, 0.7, "nested", 1500, ours) <= 0.07


@pytest.mark.slow
def test_the_naive_test_rejects_far_too_often():
    assert rejections(5, 10, 0.85, "crossed", 600, naive) > 0.35


@pytest.mark.slow
def test_forty_null_predictors_together_are_called_significant_in_five_of_a_hundred():
    generator = np.random.default_rng(7)
    where = layout(8, 4)
    hits = 0
    for _ in range(1000):
        common = effects(8, 4, 0.5, generator)
        xs = np.array([0.6 * common + effects(8, 4, 0.5, generator) for _ in range(40)])
        tests = permutation_tests(
            xs, effects(8, 4, 0.5, generator), where, generator, permutations=199
        )
        hits += min(test.p_family for test in tests) <= 0.05
    assert 0.03 <= hits / 1000 <= 0.07


def test_a_constant_predictor_has_no_p_and_does_not_disturb_the_others():
    generator = np.random.default_rng(3)
    x = effects(6, 4, 0.3, generator)
    found = permutation_tests(
        np.array([x, np.ones(24)]), x, layout(6, 4), generator, permutations=99
    )
    assert np.isnan([found[1].p, found[1].p_family, found[1].p_screen]).all()
    assert found[0].p_family == 0.01


def test_benjamini_and_hochberg_agree_with_scipy():
    p = np.random.default_rng(1).random(20) ** 2
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    with_hole = benjamini_hochberg([0.01, float("nan"), 0.04])
    assert with_hole[[0, 2]] == pytest.approx([0.02, 0.04])


def test_mantel_finds_distances_that_go_together_and_not_others():
    generator = np.random.default_rng(5)
    place, other = generator.normal(size=(2, 12))
    distance = np.abs(place[:, None] - place)
    unrelated = np.abs(other[:, None] - other)
    same = mantel(distance, distance**2, Layout.independent(12), generator, permutations=199)
    none = mantel(distance, unrelated, Layout.independent(12), generator, permutations=199)
    assert same.coefficient == pytest.approx(1)
    assert same.p == 1 / 200
    assert none.p > 0.05


def test_only_seeds_that_every_cluster_has_stay_in_a_full_table():
    kept, lacking = complete(["a", "a", "b", "b", "b"], [0, 1, 0, 1, 2])
    assert (kept, lacking) == ([0, 1, 2, 3], [2])


def test_a_lopsided_table_is_refused():
    with pytest.raises(ValueError, match="same fine-tuning seeds"):
        Layout(("a", "a", "b"), (0, 1, 0))
    with pytest.raises(ValueError, match="size"):
        Layout(("a", "a", "b"), (0, 1, 2), "nested")
    with pytest.raises(ValueError, match="twice"):
        Layout(("a", "a"), (0, 0))


def test_arrangements_in_which_nothing_is_left_to_correlate_count_as_no_relation():
    drawn = np.array([[0.9, np.nan, 0.2, 0.7]])
    found = permutation.tests_of(np.array([0.8]), drawn)[0]
    assert found.p == found.p_family == pytest.approx(2 / 5)
