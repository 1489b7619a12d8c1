import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.measure.scene import CLASSIFICATION, Budget, Objective
from harness.testing.scenes import LOSS_ITSELF, World

SQUARES = Objective(
    losses=lambda out, y: (out.squeeze(-1) - y) ** 2, errors=lambda out, y: torch.zeros_like(y)
)
LOGISTIC = Objective(
    losses=lambda out, y: functional.binary_cross_entropy_with_logits(
        out.squeeze(-1), y, reduction="none"
    ),
    errors=lambda out, y: ((out.squeeze(-1) > 0).to(y.dtype) != y).to(y.dtype),
)
SMALL = Budget(batch=1)  # one example at a time, no graph kept
NO_GRAPH = Budget(graph=0)


class Linear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = nn.Linear(inputs, outputs, bias=False).double()

    def forward(self, x):
        return self.layer(x)


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def dense(product, size):
    return torch.stack([product(row) for row in torch.eye(size, dtype=torch.float64)])


@pytest.mark.parametrize("budget", [Budget(), Budget(batch=700, graph=0), SMALL, NO_GRAPH])
def test_linear_regression_has_the_hessian_of_its_inputs(budget):
    x, y = draw(37, 5), draw(37, seed=1)
    world = World(Linear(5, 1), {"train": (x, y)}, {"a": {"layer.weight": draw(1, 5)}}, SQUARES)
    world = World(world.module, world.splits, world.runs, SQUARES, budget)
    probe = world.probe("a")
    hessian = dense(probe.hessian_product(probe.weights(), "train"), 5)
    torch.testing.assert_close(hessian, 2 / 37 * x.T @ x)


@pytest.mark.parametrize("budget", [Budget(), NO_GRAPH])
def test_logistic_regression_has_its_closed_hessian(budget):
    x, w = draw(50, 4), draw(1, 4, seed=2)
    y = (draw(50, seed=1) > 0).double()
    world = World(Linear(4, 1), {"train": (x, y)}, {"a": {"layer.weight": w}}, LOGISTIC, budget)
    probe = world.probe("a")
    hessian = dense(probe.hessian_product(probe.weights(), "train"), 4)
    s = torch.sigmoid(x @ w[0])
    torch.testing.assert_close(hessian, x.T @ torch.diag(s * (1 - s)) @ x / 50)


@pytest.mark.parametrize("budget", [Budget(), NO_GRAPH])
def test_softmax_regression_has_its_closed_hessian(budget):
    x, w = draw(30, 4), draw(3, 4, seed=2)
    y = torch.arange(30) % 3
    runs = {"a": {"layer.weight": w}}
    world = World(Linear(4, 3), {"train": (x, y)}, runs, CLASSIFICATION, budget)
    probe = world.probe("a")
    hessian = dense(probe.hessian_product(probe.weights(), "train"), 12)
    p = torch.softmax(x @ w.T, dim=1)
    exact = sum(
        torch.kron(torch.diag(p[k]) - torch.outer(p[k], p[k]), torch.outer(x[k], x[k]))
        for k in range(30)
    )
    torch.testing.assert_close(hessian, exact / 30)


@pytest.mark.parametrize("rows", [1, 7, 32, 99, 100, 1000])
def test_the_last_short_batch_weighs_as_many_examples_as_it_has(rows):
    x, y = draw(100, 3), draw(100, seed=1)
    x[-4:] *= 10  # what an equal weight per batch would blow up
    runs = {"a": {"layer.weight": draw(1, 3, seed=5)}}
    whole = World(Linear(3, 1), {"train": (x, y)}, runs, SQUARES).probe("a")
    each = 2 * (3 + 1) * 8
    budget = Budget(batch=rows * each, graph=0)
    parts = World(Linear(3, 1), {"train": (x, y)}, runs, SQUARES, budget).probe("a")
    a, b = whole.weights(), parts.weights()
    torch.testing.assert_close(parts.gradient(b, "train"), whole.gradient(a, "train"))
    v = draw(3, seed=9)
    torch.testing.assert_close(
        parts.hessian_product(b, "train")(v), whole.hessian_product(a, "train")(v)
    )
    loss = parts.evaluate([b], "train").loss
    torch.testing.assert_close(loss, whole.evaluate([a], "train").loss)


@pytest.mark.parametrize("budget", [Budget(), SMALL])
def test_a_small_network_agrees_with_its_dense_hessian_and_gradient(budget):
    torch_state = torch.Generator().manual_seed(4)
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 4)).double()
    weights = {
        name: torch.randn(tensor.shape, generator=torch_state, dtype=torch.float64)
        for name, tensor in net.state_dict().items()
    }
    x, y = draw(21, 6), torch.arange(21) % 4

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net(x)

    runs = {"a": {f"net.{name}": tensor for name, tensor in weights.items()}}
    probe = World(Net(), {"train": (x, y)}, runs, CLASSIFICATION, budget).probe("a")

    def loss(vector):
        sizes = [tensor.numel() for tensor in weights.values()]
        parts = zip(weights.items(), vector.split(sizes), strict=True)
        named = {name: part.reshape(tensor.shape) for (name, tensor), part in parts}
        return functional.cross_entropy(torch.func.functional_call(net, named, (x,)), y)

    vector = probe.parameters(probe.weights())
    assert len(vector) <= 500
    exact = torch.autograd.functional.hessian(loss, vector)
    product = probe.hessian_product(probe.weights(), "train")
    torch.testing.assert_close(dense(product, len(vector)), exact)
    gradient = probe.gradient(probe.weights(), "train")
    torch.testing.assert_close(gradient, torch.func.grad(loss)(vector))
    top = probe.krylov(probe.weights(), "train").top(
        5, by="magnitude", tolerance=1e-8, products=200
    )
    values = torch.linalg.eigvalsh(exact)
    largest = values[values.abs().argsort(descending=True)][:5]
    torch.testing.assert_close(top.values, largest, rtol=1e-6, atol=0)


def test_a_block_of_vectors_gives_the_product_of_each():
    world = World(
        Linear(3, 1),
        {"train": (draw(9, 3), draw(9))},
        {"a": {"layer.weight": draw(1, 3)}},
        SQUARES,
    )
    probe = world.probe("a")
    product = probe.hessian_product(probe.weights(), "train")
    block = draw(4, 3, seed=3)
    torch.testing.assert_close(product(block), torch.stack([product(row) for row in block]))


@pytest.mark.parametrize("budget", [Budget(), SMALL])
def test_a_block_in_one_backward_pass_gives_the_same_as_one_by_one(budget):
    runs = {"a": {"layer.weight": draw(3, 4, seed=2)}}
    data = {"train": (draw(11, 4), torch.arange(11) % 3)}
    probe = World(Linear(4, 3), data, runs, CLASSIFICATION, budget).probe("a")
    here = probe._curvature(probe.weights(), "train", None)
    block = draw(5, 12, seed=3)
    together = torch.zeros_like(block)
    for graph in here._graphs.each(probe.ledger):
        here._add(together, here._again(graph, block))  # in one pass, as on a GPU
    torch.testing.assert_close(together, here.product(block, probe.ledger))
    assert probe.ledger.products == 5


def test_measuring_twice_in_a_row_gives_the_same_and_leaves_no_gradient():
    module = Linear(2, 1)
    runs = {"a": {"layer.weight": draw(1, 2)}}
    probe = World(module, {"train": (draw(9, 2), draw(9))}, runs, SQUARES).probe("a")
    first, second = (
        probe.krylov(probe.weights(), "train").top(2, by="magnitude", tolerance=1e-9, products=9)
        for _ in range(2)
    )
    assert torch.equal(first.values, second.values)
    gradients = [probe.gradient(probe.weights(), "train") for _ in range(2)]
    assert torch.equal(*gradients)
    assert module.layer.weight.grad is None
    assert runs["a"]["layer.weight"].grad is None
    assert not runs["a"]["layer.weight"].requires_grad


def test_a_loss_without_curvature_has_zero_products():
    class Slope(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(3, dtype=torch.float64))
            self.idle = nn.Parameter(torch.zeros(2, dtype=torch.float64))

        def forward(self, x):
            return self.w.sum() * 2

    runs = {"a": {"w": draw(3), "idle": draw(2)}}
    data = {"train": (torch.zeros(4, 1).double(), torch.zeros(4).double())}
    probe = World(Slope(), data, runs, LOSS_ITSELF).probe("a")
    product = probe.hessian_product(probe.weights(), "train")
    assert torch.equal(product(draw(5)), torch.zeros(5).double())
    assert torch.equal(product(draw(2, 5)), torch.zeros(2, 5).double())
    assert probe.gradient(probe.weights(), "train").tolist() == [2, 2, 2, 0, 0]


def test_tied_weights_are_one_parameter():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(3, 3, bias=False).double()
            self.two = nn.Linear(3, 3, bias=False).double()
            self.two.weight = self.one.weight

        def forward(self, x):
            return self.two(torch.tanh(self.one(x)))

    w, x, y = draw(3, 3), draw(7, 3, seed=1), torch.arange(7) % 3
    runs = {"a": {"one.weight": w, "two.weight": w.clone()}}
    probe = World(Tied(), {"train": (x, y)}, runs).probe("a")

    def loss(vector):
        shared = vector.reshape(3, 3)
        return functional.cross_entropy(torch.tanh(x @ shared.T) @ shared.T, y)

    vector = probe.parameters(probe.weights())
    assert vector.shape == (9,)
    product = probe.hessian_product(probe.weights(), "train")
    exact = torch.autograd.functional.hessian(loss, vector)
    torch.testing.assert_close(dense(product, 9), exact)


def test_attention_has_second_derivatives():
    class Attend(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(4, 4))

        def forward(self, x):
            q = (x @ self.w).unsqueeze(1)
            return functional.scaled_dot_product_attention(q, q, q)[:, 0].mean(1)

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 5, 4, generator=generator)
    runs = {"a": {"w": torch.randn(4, 4, generator=generator)}}
    probe = World(Attend(), {"train": (x, torch.arange(6) % 4)}, runs).probe("a")
    v, w = torch.randn(2, 16, generator=generator)
    product = probe.hessian_product(probe.weights(), "train")
    torch.testing.assert_close(v @ product(w), w @ product(v))


def test_products_are_counted_and_a_kept_graph_is_built_once():
    runs = {"a": {"layer.weight": draw(1, 3)}}
    data = {"train": (draw(10, 3), draw(10))}
    probe = World(Linear(3, 1), data, runs, SQUARES).probe("a")
    product = probe.hessian_product(probe.weights(), "train")
    for _ in range(4):
        product(draw(3))
    cost = probe.ledger.cost()
    assert (cost.forward, cost.backward, probe.ledger.products) == (10 + 80, 10 + 80, 4)

    probe = World(Linear(3, 1), data, runs, SQUARES, NO_GRAPH).probe("a")
    product = probe.hessian_product(probe.weights(), "train")
    for _ in range(4):
        product(draw(3))
    assert (probe.ledger.cost().forward, probe.ledger.products) == (40 + 80, 4)


def test_a_krylov_space_is_shared_and_paid_once():
    runs = {"a": {"layer.weight": draw(1, 3)}}
    world = World(Linear(3, 1), {"train": (draw(10, 3), draw(10))}, runs, SQUARES)
    shared = world.shared()
    first, second = world.probe("a", shared=shared), world.probe("a", shared=shared)
    first.krylov(first.weights(), "train").top(1, by="magnitude", tolerance=1e-9, products=9)
    second.krylov(second.weights(), "train").top(3, by="value", tolerance=1e-9, products=9)
    assert first.ledger.products + second.ledger.products == 3
    second.krylov(second.weights(), "train").top(3, by="value", tolerance=1e-9, products=9)
    assert first.ledger.products + second.ledger.products == 3


def test_fewer_examples_are_always_the_same_ones():
    runs = {name: {"layer.weight": draw(1, 3)} for name in "ab"}
    world = World(Linear(3, 1), {"train": (draw(50, 3), draw(50))}, runs, SQUARES)
    losses = [
        probe.evaluate([probe.weights()], "train", each=True, examples=20).example_losses
        for probe in (world.probe("a"), world.probe("b"))
    ]
    assert losses[0].shape == (1, 20)
    assert torch.equal(*losses)
