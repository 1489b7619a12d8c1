"""`edge-of-stability` and `break-even`: curvature and noise at the points of a run."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.api.errors import HarnessError
from harness.api.recipes import Optimizer
from harness.api.trajectories import TrainedPhase, TrainingFacts
from harness.testing.scenes import LOSS_ITSELF, Known, World
from harness_landscape.break_even import BREAK_EVEN, BreakEvenSettings
from harness_landscape.edge_of_stability import (
    EDGE_OF_STABILITY,
    EdgeOfStabilitySettings,
    bearable,
)

STEPS = (0, 1, 2, 4, 6)


class Bowl(nn.Module):
    """A loss whose curvature is 3 (1 + |w|^2 / 2) near the first axis: sharper farther out."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def forward(self, x):
        return 3 * (self.w[0] ** 2 / 2 + self.w[0] ** 4 / 24) + self.w[1] ** 2 / 2


def facts(rates, batch=8, diverged=None, **optimizer):
    spec = Optimizer(**{"name": "sgd", **optimizer})
    return TrainingFacts((TrainedPhase(spec, batch, tuple(rates)),), 100, diverged)


def named(states, start="a"):
    names = ["init", *(f"checkpoint-{step}" for step in STEPS[1:-1])]
    return {**{f"{start}/{n}": s for n, s in zip(names, states, strict=False)}, start: states[-1]}


def on_the_way(places, known):
    runs = named([{"w": torch.tensor([place, 0.0]).double()} for place in places])
    data = torch.zeros(3, 1, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    return World(Bowl(), {"train": data}, runs, LOSS_ITSELF, trainings=Known({"a": known}))


def values(reading):
    return {value.name: value.value for value in reading.values}


def test_the_ratio_is_curvature_times_half_the_rate_of_the_next_step():
    places, rates = [2.0, 1.0, 0.5, 0.25, 0.0], [0.5, 0.4, 0.3, 0.3, 0.2, 0.1]
    reading = on_the_way(places, facts(rates)).read(EDGE_OF_STABILITY, ["a"])
    sharpness = [3 * (1 + place**2 / 2) for place in places]
    ratios = [
        top * rate / 2 for top, rate in zip(sharpness, [0.5, 0.4, 0.3, 0.2, 0.1], strict=True)
    ]
    curves = {curve.name: curve for curve in reading.curves}
    assert curves["sharpness"].y["sharpness"] == pytest.approx(sharpness)
    assert curves["ratio"].y["ratio"] == pytest.approx(ratios)
    assert curves["ratio"].x == list(STEPS)
    found = values(reading)
    assert found["largest-ratio"] == pytest.approx(ratios[0])
    assert found["largest-step"] == 0
    assert found["final-ratio"] == pytest.approx(0.15)
    assert found["share-above"] == 1 / 5
    assert reading.converged


@pytest.mark.parametrize("optimizer", [{}, {"momentum": 0.6}, {"momentum": 0.6, "nesterov": True}])
@pytest.mark.parametrize("ratio", [0.97, 1.03])
def test_gradient_descent_on_a_quadratic_grows_exactly_above_1(optimizer, ratio):
    rate = 0.1
    phase = facts([rate], **optimizer).phases[0]
    curvature = ratio * bearable(phase, rate, "optimizer")
    w = nn.Parameter(torch.ones(1, dtype=torch.float64))
    torch_sgd = torch.optim.SGD([w], lr=rate, **optimizer)
    for _ in range(2000):
        w.grad = curvature * w.detach()
        torch_sgd.step()
    assert (abs(w.item()) > 1) == (ratio > 1)


def test_momentum_counts_unless_told_otherwise_and_adams_does_not():
    assert bearable(facts([0.1], momentum=0.9).phases[0], 0.1, "optimizer") == pytest.approx(38)
    assert bearable(facts([0.1], momentum=0.9).phases[0], 0.1, "gradient-descent") == 20
    assert bearable(facts([0.1], name="adam", momentum=0.9).phases[0], 0.1, "optimizer") == 20
    assert bearable(facts([0.0]).phases[0], 0.0, "optimizer") == math.inf


def test_the_end_of_a_diverged_run_is_no_point():
    world = on_the_way([1.0, 0.5, 0.2, 0.1, math.nan], facts([0.1] * 6, diverged=5))
    reading = world.read(EDGE_OF_STABILITY, ["a"])
    assert reading.protocol["points"][-1] == "checkpoint-4"
    assert math.isfinite(values(reading)["largest-ratio"])


@pytest.mark.parametrize("metric", [EDGE_OF_STABILITY, BREAK_EVEN])
def test_too_few_points_are_refused_with_what_keeps_more(metric):
    world = on_the_way([1.0, 0.5, 0.2, 0.1, 0.0], facts([0.1] * 6))
    runs = {name: state for name, state in world.runs.items() if name in ("a", "a/init")}
    world = World(world.module, world.splits, runs, LOSS_ITSELF, trainings=world.trainings)
    with pytest.raises(HarnessError, match=r"there are: init, final") as caught:
        world.read(metric, ["a"])
    assert "checkpoints: log" in str(caught.value)
    assert "\n" not in str(caught.value)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(5, 6)
        self.two = nn.Linear(6, 3)

    def forward(self, x):
        return self.two(torch.tanh(self.one(x)))


def trained_net(batch=16):
    """Six steps of gradient descent on a small network, with the points of its way."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 5, dtype=torch.float64, generator=generator)
    y = torch.randint(0, 3, (60,), generator=generator)
    net = Net().double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    states, sgd = [], torch.optim.SGD(net.parameters(), lr=0.5)
    for step in range(7):
        if step in STEPS:
            states.append({name: t.detach().clone() for name, t in net.state_dict().items()})
        sgd.zero_grad()
        functional.cross_entropy(net(x), y).backward()
        sgd.step()
    known = Known({"a": facts([0.5] * 6, batch)})
    return World(Net().double(), {"train": (x, y)}, named(states), trainings=known), states


def dense(state, x, y):
    """Top eigenvalues of the Hessian, and of the covariance of single examples' gradients."""
    sizes = [tensor.numel() for tensor in state.values()]

    def losses(vector):
        parts = zip(state.items(), vector.split(sizes), strict=True)
        weights = {name: part.reshape(tensor.shape) for (name, tensor), part in parts}
        out = torch.func.functional_call(Net(), weights, (x,))
        return functional.cross_entropy(out, y, reduction="none")

    start = torch.cat([tensor.reshape(-1) for tensor in state.values()])
    hessian = torch.autograd.functional.hessian(lambda v: losses(v).mean(), start)
    rows = torch.autograd.functional.jacobian(losses, start)
    rows = rows - rows.mean(0)
    covariance = rows.T @ rows / len(rows)
    return torch.linalg.eigvalsh(hessian)[-1].item(), torch.linalg.eigvalsh(covariance)[-1].item()


def test_a_small_network_has_the_noise_and_curvature_of_its_dense_matrices():
    world, states = trained_net()
    exact = [dense(state, *world.splits["train"]) for state in states]
    exactly = BreakEvenSettings(tolerance=1e-6)
    reading = world.read(BREAK_EVEN, ["a"], exactly)
    curve = reading.curves[0]
    assert curve.y["hessian"] == pytest.approx([h for h, _ in exact], rel=1e-4)
    noise = [k / 16 for _, k in exact]
    assert curve.y["covariance"] == pytest.approx(noise, rel=1e-4)
    found = values(reading)
    assert found["covariance-max"] == pytest.approx(max(noise), rel=1e-4)
    assert found["covariance-first-to-max"] == pytest.approx(noise[0] / max(noise), rel=1e-4)
    assert found["break-even-step"] == STEPS[noise.index(max(noise))]
    peak = max(h for h, _ in exact)
    assert found["hessian-max"] == pytest.approx(peak, rel=1e-4)
    assert found["hessian-first-to-max"] == pytest.approx(exact[0][0] / peak, rel=1e-4)
    assert reading.protocol["batch"] == [16]
    assert reading.converged
    sharp = world.read(EDGE_OF_STABILITY, ["a"], EdgeOfStabilitySettings(tolerance=1e-6))
    ratios = next(curve for curve in sharp.curves if curve.name == "ratio").y["ratio"]
    assert ratios == pytest.approx([h * 0.5 / 2 for h, _ in exact], rel=1e-4)


def test_noise_is_that_of_the_batches_that_the_run_saw():
    whole = values(trained_net(batch=16)[0].read(BREAK_EVEN, ["a"]))
    half = values(trained_net(batch=8)[0].read(BREAK_EVEN, ["a"]))
    assert half["covariance-max"] == pytest.approx(2 * whole["covariance-max"])
    assert half["hessian-max"] == pytest.approx(whole["hessian-max"])


def test_two_metrics_of_one_way_share_their_hessian_products():
    world, _ = trained_net()
    shared = world.shared()
    world.read(BREAK_EVEN, ["a"], shared=shared)
    again = world.read(EDGE_OF_STABILITY, ["a"], shared=shared)
    assert again.protocol["hessian_products"] == 0
    assert again.values == world.read(EDGE_OF_STABILITY, ["a"]).values


def test_examples_that_agree_leave_no_noise():
    """Linear regression by hand: equal examples, so that every batch has the same gradient."""
    world, states = trained_net()
    x, y = world.splits["train"]
    same = x[:1].expand(60, 5).clone(), y[:1].expand(60).clone()
    world = World(world.module, {"train": same}, world.runs, trainings=world.trainings)
    found = values(world.read(BREAK_EVEN, ["a"]))
    assert found["covariance-max"] == pytest.approx(0.0, abs=1e-12)
    assert found["hessian-max"] > 0
    assert len(states) == 5
