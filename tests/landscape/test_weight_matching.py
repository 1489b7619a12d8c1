"""Coordinate descent over the orders of units, against all orders tried one by one."""

from itertools import pairwise, permutations

import pytest
import torch

from harness.api.errors import HarnessError
from harness.api.symmetries import Axis, Symmetry
from harness_landscape.permutations import Units
from harness_landscape.weight_matching import Search, best_order


def random(seed, **shapes):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64)
        for name, shape in shapes.items()
    }


def search(first, second, *symmetries, seed=0):
    units = tuple(Units.of(symmetry, first) for symmetry in symmetries)
    return Search(first, second, tuple(first), units, torch.Generator().manual_seed(seed))


SMALL = {"one": (5, 3), "bias": (5,), "two": (2, 5)}
LAYER = Symmetry("layer", (("one", 0), ("bias", 0), ("two", 1)))


def test_one_hidden_layer_gets_the_best_of_all_its_orders_in_one_sweep():
    found = search(random(0, **SMALL), random(1, **SMALL), LAYER)
    matching = found.best(restarts=1, sweeps=100)
    [units] = found.symmetries
    every = [
        found.inner(units.permuted(found.second, torch.tensor(order)))
        for order in permutations(range(5))
    ]
    assert found.inner(matching.weights) == pytest.approx(max(every))
    assert matching.objectives[-1] == pytest.approx(max(every))
    assert max(every) > found.inner(found.second)
    assert (matching.sweeps, matching.converged) == (1, True)


def test_a_permuted_layer_is_put_in_order():
    first = random(0, **SMALL)
    units, order = Units.of(LAYER, first), torch.tensor([3, 0, 4, 1, 2])
    matching = search(first, units.permuted(first, order), LAYER).best(1, 100)
    assert torch.equal(matching.orders["layer"], order.argsort())
    assert all(torch.equal(matching.weights[name], first[name]) for name in first)
    assert matching.moved == 1.0
    same = search(first, first, LAYER).best(1, 100)
    assert (same.moved, same.sweeps, len(same.objectives)) == (0.0, 0, 1)


DEEP = {"w0": (6, 4), "w1": (7, 6), "w2": (5, 7), "w3": (3, 5)}
LAYERS = tuple(Symmetry(f"s{i}", ((f"w{i}", 0), (f"w{i + 1}", 1))) for i in range(3))


@pytest.mark.parametrize("seed", range(5))
def test_no_step_ever_lowers_the_inner_product(seed):
    found = search(random(seed, **DEEP), random(99, **DEEP), *LAYERS, seed=seed)
    matching = found.best(restarts=1, sweeps=100)
    assert len(matching.objectives) > 3
    assert all(before < after for before, after in pairwise(matching.objectives))
    assert matching.objectives[0] == pytest.approx(found.inner(found.second))
    assert matching.objectives[-1] == pytest.approx(found.inner(matching.weights))
    assert matching.converged


def test_the_end_is_best_in_every_layer_while_the_others_stay():
    found = search(random(3, **DEEP), random(99, **DEEP), *LAYERS)
    end = found.best(restarts=1, sweeps=100)
    for units in found.symmetries:
        every = [
            found.inner(units.permuted(end.weights, torch.tensor(order)))
            for order in permutations(range(units.count))
        ]
        assert max(every) == pytest.approx(end.objectives[-1])


def test_the_orders_that_are_reported_give_the_weights():
    found = search(random(0, **DEEP), random(99, **DEEP), *LAYERS)
    for restarts in (1, 4):
        matching = found.best(restarts, 100)
        weights = found.second
        for units in found.symmetries:
            weights = units.permuted(weights, matching.orders[units.name])
        assert all(torch.equal(weights[name], matching.weights[name]) for name in weights)


def test_more_descents_never_end_lower_and_may_end_higher():
    gains = []
    for seed in range(6):
        first, second = random(seed, **DEEP), random(seed + 50, **DEEP)
        ends = [search(first, second, *LAYERS).best(r, 100).objectives[-1] for r in (1, 10)]
        gains.append(ends[1] - ends[0])
    assert min(gains) >= 0 < max(gains)


def test_a_descent_that_is_cut_short_says_so():
    found = search(random(0, **DEEP), random(99, **DEEP), *LAYERS)
    assert not found.best(restarts=1, sweeps=1).converged


def test_units_in_groups_get_the_best_of_all_orders_that_keep_them():
    similarity = random(4, s=(6, 6))["s"]
    found = best_order(similarity, group=3)
    assert [len(set(half)) for half in (found // 3).reshape(2, 3).tolist()] == [1, 1]
    values = []
    for order in permutations(range(6)):
        if len({unit // 3 for unit in order[:3]}) == 1:
            values.append(float(similarity[torch.arange(6), torch.tensor(order)].sum()))
    assert len(values) == 2 * 6 * 6
    assert float(similarity[torch.arange(6), found].sum()) == pytest.approx(max(values))


def test_blocks_move_as_wholes_to_their_best_places():
    shapes = {"query": (6, 4), "out": (4, 6)}
    heads = Symmetry("heads", (("query", 0), ("out", 1)), block=2)
    found = search(random(0, **shapes), random(1, **shapes), heads)
    [units] = found.symmetries
    assert units.count == 3
    every = [
        found.inner(units.permuted(found.second, torch.tensor(order)))
        for order in permutations(range(3))
    ]
    assert found.best(1, 10).objectives[-1] == pytest.approx(max(every))
    moved = units.permuted(found.second, torch.tensor([2, 0, 1]))
    assert torch.equal(moved["query"], found.second["query"][[4, 5, 0, 1, 2, 3]])
    assert torch.equal(moved["out"], found.second["out"][:, [4, 5, 0, 1, 2, 3]])


def test_a_parameter_with_the_units_on_both_sides_never_gets_worse_and_is_put_in_order():
    shapes = {"into": (6, 3), "again": (6, 6), "out": (2, 6)}
    recurrent = Symmetry("state", (("into", 0), ("again", 0), ("again", 1), ("out", 1)))
    first = random(0, **shapes)
    for seed in range(5):
        found = search(first, random(seed + 10, **shapes), recurrent)
        matching = found.best(1, 100)
        assert all(before < after for before, after in pairwise(matching.objectives))
        assert matching.objectives[-1] == pytest.approx(found.inner(matching.weights))
    [units] = found.symmetries
    order = torch.tensor([5, 2, 0, 1, 4, 3])
    back = search(first, units.permuted(first, order), recurrent).best(5, 100)
    assert torch.equal(back.weights["again"], first["again"])


def test_units_lie_where_their_axes_say():
    first = random(0, fused=(6, 2), flat=(2, 8), parts=(5,))
    symmetry = Symmetry(
        "units",
        (Axis("fused", 0, at=(3, 4)), Axis("flat", 1, repeat=4), Axis("parts", 0, at=(4, 1))),
    )
    swapped = Units.of(symmetry, first).permuted(first, torch.tensor([1, 0]))
    assert torch.equal(swapped["fused"], first["fused"][[0, 1, 2, 4, 3, 5]])
    assert torch.equal(swapped["flat"], first["flat"][:, [4, 5, 6, 7, 0, 1, 2, 3]])
    assert torch.equal(swapped["parts"], first["parts"][[0, 4, 2, 3, 1]])


@pytest.mark.parametrize(
    ("symmetry", "words"),
    [
        (Symmetry("s", ()), "has no axes"),
        (Symmetry("s", (("gone", 0),)), "'gone', which is no parameter"),
        (Symmetry("s", (("one", 2),)), "dimension 2 of 'one'"),
        (Symmetry("s", (("one", 0), ("two", 0))), "5 units along 'one' and 2 along 'two'"),
        (Symmetry("s", (("one", 0),), block=2), "units of 2, and 'one' has 5"),
        (Symmetry("s", (("one", 0),), group=2), "no groups of 2"),
        (Symmetry("s", (Axis("one", 0, at=(0, 0)),)), "overlap"),
        (Symmetry("s", (Axis("one", 0, at=(4,)),), block=2), "lie outside"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_symmetry_that_does_not_fit_the_weights_is_refused_by_name(symmetry, words):
    with pytest.raises(HarnessError, match=words) as refused:
        Units.of(symmetry, random(0, **SMALL))
    assert "symmetry 's'" in str(refused.value)
