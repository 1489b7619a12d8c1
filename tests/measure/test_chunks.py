"""Graphs that are kept as far as the budget goes, and what is made anew beyond it."""

import pytest
import torch
from torch import nn

from harness.measure.chunks import SLACK
from harness.measure.data import bytes_per_example, bytes_per_graph
from harness.measure.scene import Budget
from harness.testing.scenes import World


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(torch.tanh(self.first(x)))


SIZE = 83
EXAMPLES = 50


def probe(budget=None):
    """A network in double precision; `budget` (batch, graph) counts examples."""
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.randn(tensor.shape, generator=generator).double()
        for name, tensor in Net().state_dict().items()
    }
    x = torch.randn(EXAMPLES, 6, generator=generator).double()
    world = World(Net(), {"train": (x, torch.arange(EXAMPLES) % 3)}, {"a": weights})
    plain = world.probe("a")
    if budget is None:
        return plain
    sample = plain.view.sample("train", plain.weights(), None)
    each = bytes_per_example(plain.view.scene, dict(plain.weights()), sample)
    graph = int(SLACK * bytes_per_graph(plain.view.scene, plain.weights(), sample))
    told = Budget(batch=budget[0] * each, graph=budget[1] * min(graph, 3 * each))
    return World(world.module, world.splits, world.runs, budget=told).probe("a")


@pytest.mark.parametrize(
    ("graph", "anew"), [(50, 0), (49, 10), (25, 30), (10, 40), (9, 50), (0, 50)]
)
def test_only_what_is_not_kept_is_made_anew(graph, anew):
    here = probe((10, graph))
    exact = probe()
    v = torch.randn(4, SIZE, generator=torch.Generator().manual_seed(1)).double()
    product = here.hessian_product(here.weights(), "train")
    expected = exact.hessian_product(exact.weights(), "train")(v)
    torch.testing.assert_close(product(v[0]), expected[0])
    first = here.ledger.cost().forward
    assert first == EXAMPLES + 2 * EXAMPLES
    torch.testing.assert_close(product(v[1]), expected[1])
    assert here.ledger.cost().forward - first == anew + 2 * EXAMPLES
    torch.testing.assert_close(product(v), expected)
    assert here.ledger.cost().forward - first == 2 * anew + 10 * EXAMPLES  # once for a block
    here.gradient(here.weights(), "train")


@pytest.mark.parametrize("kind", ["true", "empirical", "ggn"])
@pytest.mark.parametrize("graph", [50, 25, 0])
def test_fisher_products_are_the_same_whatever_is_kept(kind, graph):
    here, exact = probe((10, graph)), probe()
    v = torch.randn(3, SIZE, generator=torch.Generator().manual_seed(1)).double()
    product = here.fisher_product(here.weights(), "train", kind=kind)
    expected = exact.fisher_product(exact.weights(), "train", kind=kind)(v)
    for _ in range(2):
        torch.testing.assert_close(product(v), expected)
        torch.testing.assert_close(product(v[2]), expected[2])


@pytest.mark.parametrize("graph", [50, 20, 0])
def test_a_gradient_beside_graphs_is_the_same(graph):
    here, exact = probe((10, graph)), probe()
    curvature = here._curvature(here.weights(), "train", None)
    before = curvature.gradient(here.ledger)
    curvature.product(before, here.ledger)
    torch.testing.assert_close(curvature.gradient(here.ledger), before)
    torch.testing.assert_close(before, exact.gradient(exact.weights(), "train"))
    assert curvature.bytes <= here.view.scene.budget.graph


def test_a_graph_is_weighed_by_what_it_keeps():
    here = probe()
    scene, weights = here.view.scene, here.weights()
    sample = here.view.sample("train", weights, None)
    numbers = bytes_per_graph(scene, weights, sample) / 8
    assert 6 + 8 + 3 <= numbers <= 10 * (6 + 8 + 3)  # inputs, hidden units, logits; a few of each
