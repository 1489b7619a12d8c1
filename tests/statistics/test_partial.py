"""Partial associations: what they are, and that they hold their level where seeds are few."""

import numpy as np
import pytest
from scipy import stats

from harness.statistics.layout import Layout, Repeated
from harness.statistics.partial import partial_tests


def layout(a, b):
    return Layout(
        tuple(i for i in range(a) for _ in range(b)),
        tuple(j for _ in range(a) for j in range(b)),
    )


def effects(a, b, icc, generator):
    seeds = generator.normal(0, icc**0.5, (a, 1))
    return (seeds + generator.normal(0, (1 - icc) ** 0.5, (a, b))).ravel()


def test_a_partial_correlation_is_the_one_of_the_textbook_formula():
    generator = np.random.default_rng(0)
    x, y, z = generator.normal(size=(3, 30))
    x, y = x + z, y + 2 * z + 0.5 * x
    r = stats.spearmanr(np.array([x, y, z]), axis=1).statistic
    exact = (r[0, 1] - r[0, 2] * r[1, 2]) / ((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2)) ** 0.5
    (found,) = partial_tests(
        x[None], y, z[None], Layout.independent(30), generator, permutations=99
    )
    assert found.coefficient == pytest.approx(exact)


def test_what_works_through_the_control_alone_adds_nothing():
    generator = np.random.default_rng(1)
    control = effects(10, 5, 0.5, generator)
    x = control + 0.3 * effects(10, 5, 0.5, generator)
    y = control + 0.3 * effects(10, 5, 0.5, generator)
    given = {"layout": layout(10, 5), "generator": generator, "permutations": 499}
    assert partial_tests(x[None], y, np.empty((0, 50)), **given)[0].p < 0.01
    assert partial_tests(x[None], y, control[None], **given)[0].p > 0.05


def test_a_predictor_that_is_a_control_has_no_partial_correlation():
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(2, 20))
    (found,) = partial_tests(
        x[None], y, x[None], Layout.independent(20), generator, permutations=99
    )
    assert np.isnan([found.coefficient, found.p, found.p_family]).all()


@pytest.mark.slow
@pytest.mark.parametrize("skew", [False, True])
@pytest.mark.parametrize(
    ("a", "b", "icc", "known"),
    [
        *((5, b, icc, known) for b in (5, 10) for icc in (0.0, 0.85) for known in (1, 3)),
        *((8, 5, icc, known) for icc in (0.0, 0.5) for known in (1, 3)),
        (10, 10, 0.85, 1),
    ],
)
def test_a_predictor_without_value_of_its_own_is_rarely_called_significant(a, b, icc, known, skew):
    """At most seven of a hundred, also with five seeds, three controls and skewed numbers."""
    generator = np.random.default_rng(4)
    where, hits, rounds = layout(a, b), 0, 700

    def drawn(share):
        found = effects(a, b, share, generator)
        return np.exp(found) if skew else found

    for _ in range(rounds):
        controls = np.array([drawn(0.5) for _ in range(known)])
        x = 0.7 * controls.sum(0) + drawn(icc)
        y = controls.sum(0) + drawn(icc)
        found = partial_tests(x[None], y, controls, where, generator, permutations=199)
        hits += found[0].p <= 0.05
    assert hits / rounds <= 0.07
    assert hits / rounds >= (0.0025 if known > 1 or skew else 0.01)  # more cautious than it must be


@pytest.mark.slow
@pytest.mark.parametrize("a", [5, 8])
def test_a_predictor_with_value_of_its_own_is_still_found(a):
    generator = np.random.default_rng(5)
    hits = 0
    for _ in range(100):
        controls = np.array([effects(a, 5, 0.5, generator) for _ in range(3)])
        own = effects(a, 5, 0.85, generator)
        x = 0.7 * controls.sum(0) + own
        y = controls.sum(0) + own + effects(a, 5, 0.85, generator)
        found = partial_tests(x[None], y, controls, layout(a, 5), generator, permutations=199)
        hits += found[0].p <= 0.05
    assert hits >= 45


@pytest.mark.slow
def test_the_best_of_twenty_predictors_without_value_of_their_own_is_rarely_called_significant():
    generator = np.random.default_rng(6)
    hits, rounds = 0, 300
    for _ in range(rounds):
        control = effects(5, 5, 0.5, generator)
        xs = np.array([0.7 * control + effects(5, 5, 0.85, generator) for _ in range(20)])
        y = control + effects(5, 5, 0.85, generator)
        found = partial_tests(xs, y, control[None], layout(5, 5), generator, permutations=199)
        hits += min(test.p_family for test in found) <= 0.05
    assert hits / rounds <= 0.08


def test_what_several_controls_leave_in_ranks_alone_is_not_called_significant():
    """Ranks of a sum are no sum of ranks: the test of ranks alone finds something here."""
    generator = np.random.default_rng(2)
    controls = np.exp(generator.normal(size=(3, 60)))
    x = controls.sum(0) + 0.01 * generator.normal(size=60)
    y = controls.sum(0) + 0.01 * generator.normal(size=60)
    (found,) = partial_tests(
        x[None], y, controls, Layout.independent(60), generator, permutations=199
    )
    assert found.coefficient > 0.5
    assert found.p > 0.05


def test_the_same_seeds_in_several_procedures_are_rearranged_alike():
    generator = np.random.default_rng(3)
    control, own = generator.normal(size=(2, 80))
    y = control + own
    twice = Repeated(layout(8, 5), 2)
    (found,) = partial_tests(own[None], y, control[None], twice, generator, permutations=199)
    assert found.p == 1 / 200


def test_p_is_the_same_however_permutations_are_cut_in_chunks(monkeypatch):
    def test(chunk):
        monkeypatch.setattr("harness.statistics.partial.CHUNK", chunk)
        generator = np.random.default_rng(4)
        x, y, control = generator.normal(size=(3, 40))
        given = {"layout": layout(8, 5), "generator": generator, "permutations": 99}
        return partial_tests(np.array([x, x + y]), y, control[None], **given)

    assert test(1) == test(1 << 22)


@pytest.mark.parametrize("where", [layout(4, 2), Layout.independent(8)])
def test_more_controls_than_runs_allow_are_refused(where):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2, 8))
    with pytest.raises(ValueError, match="too many"):
        partial_tests(x[None], y, generator.normal(size=(6, 8)), where, generator)
