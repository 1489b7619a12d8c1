import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.api.errors import HarnessError
from harness.measure.scene import Budget, Objective
from harness.testing.scenes import World


class Linear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = nn.Linear(inputs, outputs, bias=False).double()

    def forward(self, x):
        return self.layer(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 3).double()
        self.two = nn.Linear(3, 3).double()
        self.idle = nn.Parameter(torch.zeros(2).double())

    def forward(self, x):
        return self.two(self.one(x).tanh())


SQUARES = Objective(
    losses=lambda out, y: (out.squeeze(-1) - y) ** 2, errors=lambda out, y: torch.zeros_like(y)
)


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def dense(product, size):
    return product(torch.eye(size, dtype=torch.float64))


def network(budget=None, count=7):
    x = draw(count, 4)
    data = x, torch.arange(count) % 3
    state = {name: draw(*t.shape, seed=n) for n, (name, t) in enumerate(Net().state_dict().items())}
    splits = {"train": data, "ood-far": data}
    return World(Net(), splits, {"a": state}, budget=budget or Budget())


BUDGETS = [Budget(), Budget(batch=800, graph=0), Budget(batch=1)]


@pytest.mark.parametrize("kind", ["true", "ggn"])
@pytest.mark.parametrize("budget", BUDGETS)
def test_a_linear_softmax_model_has_its_hessian_as_fisher(kind, budget):
    x, w = draw(31, 4), draw(3, 4, seed=1)
    data = x, torch.arange(31) % 3
    probe = World(Linear(4, 3), {"train": data}, {"a": {"layer.weight": w}}, budget=budget).probe(
        "a"
    )
    here = probe.weights(), "train"
    fisher = dense(probe.fisher_product(*here, kind=kind), 12)
    torch.testing.assert_close(fisher, dense(probe.hessian_product(*here), 12))


def test_gaussian_regression_has_its_hessian_as_gauss_newton_matrix():
    x, y = draw(31, 4), draw(31, seed=1)
    runs = {"a": {"layer.weight": draw(1, 4, seed=2)}}
    probe = World(Linear(4, 1), {"train": (x, y)}, runs, SQUARES).probe("a")
    ggn = dense(probe.fisher_product(probe.weights(), "train", kind="ggn"), 4)
    torch.testing.assert_close(ggn, 2 / 31 * x.T @ x)


@pytest.mark.parametrize("budget", BUDGETS)
def test_the_empirical_fisher_is_the_mean_of_outer_products(budget):
    probe = network(budget).probe("a")
    rows = torch.cat(list(probe.example_gradients(probe.weights(), "train")))
    fisher = dense(probe.fisher_product(probe.weights(), "train", kind="empirical"), rows.shape[1])
    torch.testing.assert_close(fisher, rows.T @ rows / len(rows))


@pytest.mark.parametrize("budget", BUDGETS)
def test_the_true_fisher_is_the_mean_over_the_models_own_classes(budget):
    here = network(budget)
    probe = here.probe("a")
    x, _ = here.splits["train"]
    exact = 0
    for label in range(3):
        data = {"train": (x, torch.full((len(x),), label))}
        other = World(here.module, data, here.runs).probe("a")
        rows = torch.cat(list(other.example_gradients(other.weights(), "train")))
        logits = other.logits([other.weights()], "train")[0]
        chance = functional.softmax(logits, -1)[:, label, None]
        exact = exact + (chance * rows).T @ rows / len(rows)
    fisher = dense(probe.fisher_product(probe.weights(), "train", kind="true"), len(exact))
    torch.testing.assert_close(fisher, exact)
    ggn = dense(probe.fisher_product(probe.weights(), "train", kind="ggn"), len(exact))
    torch.testing.assert_close(ggn, exact)


def test_the_true_fisher_asks_for_inputs_only():
    probe = network().probe("a", access="ood-inputs")
    probe.fisher_product(probe.weights(), "ood-far", kind="true")
    with pytest.raises(HarnessError, match="'ood-labels'"):
        probe.fisher_product(probe.weights(), "ood-far", kind="empirical")


@pytest.mark.parametrize("matrix", ["true", "ggn", "empirical", "covariance"])
def test_each_matrix_has_a_krylov_space_of_its_own(matrix):
    probe = network().probe("a")
    here = probe.weights(), "train"
    rows = torch.cat(list(probe.example_gradients(*here)))
    if matrix == "covariance":
        exact = torch.cov(rows.T, correction=0)
    else:
        exact = dense(probe.fisher_product(*here, kind=matrix), rows.shape[1])
    space = probe.krylov(*here, matrix=matrix)
    asked = {"by": "value", "tolerance": 1e-6, "products": 60}
    top, directions = space.top(3, **asked), space.directions(3, **asked)
    values, vectors = torch.linalg.eigh(exact)
    torch.testing.assert_close(top.values, values.flip(0)[:3])
    overlap = (directions @ vectors.flip(1)[:, :3]).abs()
    torch.testing.assert_close(overlap, torch.eye(3).double(), atol=1e-4, rtol=0)
    assert space.products == probe.krylov(*here, matrix=matrix).products > 0
