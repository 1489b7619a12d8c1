import pytest
import torch
from curved import dense_hessian, errors, network, values
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import World
from harness_landscape.fisher import FISHER, FisherSettings


def read(world, run="0", **settings):
    return world.read(FISHER, [run], FisherSettings(**settings))


class Linear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = nn.Linear(inputs, outputs, bias=False).double()

    def forward(self, x):
        return self.layer(x)


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def softmax(runs=1):
    x, w = draw(31, 4), draw(3, 4, seed=1)
    points = {str(run): {"layer.weight": w} for run in range(runs)}
    return World(Linear(4, 3), {"train": (x, torch.arange(31) % 3)}, points)


def all_gradients(world):
    probe = world.probe("0")
    return torch.cat(list(probe.example_gradients(probe.weights(), "train"))).double()


def test_linear_softmax_regression_has_the_trace_of_its_hessian_as_true_fisher_trace():
    x, w = draw(31, 4), draw(3, 4, seed=1)
    p = (x @ w.T).softmax(-1)
    exact = ((p * (1 - p)).sum(1) * x.square().sum(1)).mean()  # tr (diag p - pp') (x) xx'
    found = values(read(softmax()))["true-trace"]
    assert found == pytest.approx(float(exact))
    probe = softmax().probe("0")
    product = probe.hessian_product(probe.weights(), "train")
    assert found == pytest.approx(float(product(torch.eye(12).double()).trace()))


def test_traces_covariance_and_noise_scale_are_those_of_all_gradients():
    world = network(count=40)
    rows = all_gradients(world)
    mean = rows.mean(0)
    covariance = torch.cov(rows.T, correction=0)
    reading = read(world, tolerance=1e-6)
    found = values(reading)
    squares = rows.square().sum(1)
    assert found["empirical-trace"] == pytest.approx(float(squares.mean()), rel=1e-4)
    spread = float(squares.std()) / 40**0.5
    assert errors(reading)["empirical-trace"] == pytest.approx(spread, rel=1e-3)
    assert found["covariance-trace"] == pytest.approx(float(covariance.trace()), rel=1e-4)
    top = float(torch.linalg.eigvalsh(covariance)[-1])
    assert found["covariance-top"] == pytest.approx(top, rel=1e-4)
    assert found["gradient-square"] == pytest.approx(float(mean @ mean), rel=1e-3)
    scale = float(covariance.trace() / (mean @ mean))
    assert found["noise-scale"] == pytest.approx(scale, rel=1e-3)
    assert reading.converged


def test_two_examples_have_a_covariance_of_rank_one():
    world = network(count=2)
    first, second = all_gradients(world)
    found = values(read(world))
    quarter = float((first - second).square().sum()) / 4
    assert found["covariance-top"] == pytest.approx(quarter, rel=1e-4)
    assert found["covariance-trace"] == pytest.approx(quarter, rel=1e-4)


def test_true_and_empirical_are_different_matrices():
    world = network(count=40)
    probe = world.probe("0")
    size = len(probe.parameters(probe.weights()))
    true = probe.fisher_product(probe.weights(), "train", kind="true")
    found = values(read(world))
    assert found["true-trace"] == pytest.approx(float(true(torch.eye(size)).trace()), rel=1e-4)
    assert found["true-trace"] != pytest.approx(found["empirical-trace"], rel=0.05)


def test_a_relu_network_has_the_trace_of_its_hessian_as_true_fisher_trace():
    world = network(count=40)  # its logits are linear in each single weight
    exact = float(dense_hessian(world).trace())
    assert values(read(world))["true-trace"] == pytest.approx(exact, rel=1e-4)


def test_drawn_classes_are_unbiased_and_cost_one_pass():
    world = softmax(runs=200)
    whole = read(world)
    readings = [read(world, str(run), classes="drawn", products=1) for run in range(200)]
    drawn = torch.tensor([values(reading)["true-trace"] for reading in readings])
    truth = values(whole)["true-trace"]
    assert abs(drawn.mean() - truth) < 4 * drawn.std() / 200**0.5
    assert readings[0].cost.backward < whole.cost.backward


def test_the_empirical_fisher_vanishes_where_the_labels_are_certain_and_the_true_one_too():
    x = torch.cat([torch.eye(3), torch.eye(3)]).double()
    data = {"train": (x, torch.arange(6) % 3)}
    sure = World(Linear(3, 3), data, {"0": {"layer.weight": 60 * torch.eye(3).double()}})
    assert values(read(sure))["empirical-trace"] < 1e-20
    assert values(read(sure))["true-trace"] < 1e-20
    wrong = {"train": (x, (torch.arange(6) + 1) % 3)}
    mislabelled = World(sure.module, wrong, sure.runs)
    assert values(read(mislabelled))["empirical-trace"] == pytest.approx(2)
    assert values(read(mislabelled))["true-trace"] < 1e-20


def test_it_reads_training_data_and_refuses_ood():
    world = network(count=20)
    assert read(world).protocol["access"] == "train"
    assert read(world, examples=7).protocol["examples"] == 7
    with pytest.raises(HarnessError, match="ood-far"):
        read(world, split="ood-far")


@pytest.mark.parametrize("classes", ["all", "drawn"])
def test_a_diverged_run_gives_no_numbers(classes):
    world = network(count=20)
    world.runs["0"]["one.weight"].fill_(float("nan"))
    reading = read(world, classes=classes)
    found = values(reading)
    del found["products"]
    assert all(value != value for value in found.values())
    assert not reading.converged
