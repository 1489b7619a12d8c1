"""Mantel tests of many quantities, on all pairs and on some; the seeds of several procedures."""

from itertools import combinations

import numpy as np
import pytest

from harness.statistics import pairs
from harness.statistics.layout import Layout, Repeated
from harness.statistics.pairs import Paired, pair_tests
from harness.statistics.permutation import mantel

A, B = 5, 2
LAYOUT = Layout(tuple(np.repeat(range(A), B).tolist()), tuple(np.tile(range(B), A).tolist()))


def pairs_of(matrix, kept=None):
    ends = list(combinations(range(A * B), 2))[:kept]
    first, second = (np.array(side) for side in zip(*ends, strict=True))
    return Paired(matrix[first, second], first, second)


def test_one_quantity_of_all_pairs_is_the_mantel_test():
    generator = np.random.default_rng(0)
    y = generator.normal(size=A * B)
    apart = np.abs(y[:, None] - y[None])
    noise = generator.normal(size=(A * B, A * B))
    matrix = apart + noise + noise.T

    found = pair_tests([pairs_of(matrix)], y, LAYOUT, np.random.default_rng(1), permutations=199)
    slow = mantel(matrix, apart, LAYOUT, np.random.default_rng(1), permutations=199)

    assert found[0].coefficient == pytest.approx(slow.coefficient)
    assert found[0].p == found[0].p_family == pytest.approx(slow.p)


def test_some_pairs_are_enough_where_distances_are_the_differences():
    y = np.random.default_rng(2).normal(size=A * B)
    apart = np.abs(y[:, None] - y[None])
    noise = np.random.default_rng(3).normal(size=apart.shape)

    exact, other = pair_tests(
        [pairs_of(apart, 20), pairs_of(noise, 30)],
        y,
        LAYOUT,
        np.random.default_rng(4),
        permutations=499,
    )

    assert exact.coefficient == pytest.approx(1)
    assert exact.p_family < 0.05 < other.p_family


def test_procedures_are_rearranged_alike_and_each_within_itself():
    both = Repeated(LAYOUT, 2)
    orders = both.permutations(50, np.random.default_rng(5))

    assert (orders[:, A * B :] == orders[:, : A * B] + A * B).all()
    assert both.runs == 2 * LAYOUT.runs
    assert both.arrangements == LAYOUT.arrangements
    assert both.cluster == LAYOUT.cluster * 2


def test_tests_of_repeated_seeds_hold_their_level_where_procedures_share_their_seeds():
    generator = np.random.default_rng(6)
    orders = Repeated(LAYOUT, 2).permutations(199, generator)
    rejected = 0
    for _ in range(200):
        x, y = (np.tile(np.repeat(generator.normal(size=A), B), 2) for _ in range(2))
        x, y = (each + 0.3 * generator.normal(size=each.size) for each in (x, y))
        drawn = np.abs((x - x.mean()) @ (y - y.mean())[orders].T)
        rejected += (1 + (drawn >= abs((x - x.mean()) @ (y - y.mean()))).sum()) / 200 <= 0.05
    assert rejected <= 20


def test_many_pairs_are_ranked_in_blocks_and_give_the_same(monkeypatch):
    runs = Layout.independent(9)
    first, second = np.triu_indices(9, 1)
    generator = np.random.default_rng(0)
    quantity = Paired(generator.normal(size=first.size), first, second)
    y = generator.normal(size=9)
    whole = pair_tests([quantity], y, runs, np.random.default_rng(1), permutations=99)
    monkeypatch.setattr(pairs, "NUMBERS", 100)
    parts = pair_tests([quantity], y, runs, np.random.default_rng(1), permutations=99)
    assert parts[0].coefficient == pytest.approx(whole[0].coefficient)
    assert parts[0].p == whole[0].p
