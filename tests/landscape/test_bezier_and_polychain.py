import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.bent_curve import BentCurve
from harness_landscape.bezier import BEZIER, quadratic
from harness_landscape.curve_training import CurveSettings, trained
from harness_landscape.polychain import POLYCHAIN, chain

METRICS = pytest.mark.parametrize("metric", [BEZIER, POLYCHAIN], ids=["bezier", "polychain"])
SHAPES = {"bezier": quadratic, "polychain": chain}


class Ring(nn.Module):
    """(|w|^2 - 1)^2, and for every example a slope of its own; their mean is 0."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def forward(self, x):
        return (self.w.square().sum() - 1) ** 2 + self.w[1] * x[:, 0]


class Bowl(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def forward(self, x):
        return self.w[0] ** 2 + 3 * self.w[1] ** 2 + self.w[0] * self.w[1] + 0 * x[:, 0]


def world(module, start=(-1.0, 0.0), end=(1.0, 0.0)):
    data = torch.linspace(-1, 1, 64).double()[:, None], torch.zeros(64).double()
    runs = {key: {"w": torch.tensor(w).double()} for key, w in (("a", start), ("b", end))}
    return World(module, {"train": data, "test": data}, runs, LOSS_ITSELF)


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


def lowest(shape):
    """The least mean loss over a curve in the ring's valley, by a search over the bend (0, y)."""
    t = torch.linspace(0, 1, 101).double()
    a, b, c = (torch.tensor(part).double() for part in zip(*map(shape, t.tolist()), strict=True))
    y = torch.linspace(0, 3, 3001).double()[:, None]
    loss = ((c - a) ** 2 + (b * y) ** 2 - 1) ** 2
    return loss.mean(1).min().item(), y[loss.mean(1).argmin()].item()


@METRICS
def test_a_curve_follows_a_ring_shaped_valley_as_the_best_bend_does(metric):
    here = world(Ring())
    settings = CurveSettings(steps=800, batch=8, points=101)
    found = values(metric.measure(settings, here.probe("a", "b")))
    assert found["straight-lerp-loss"] == pytest.approx(1.0)
    assert found["straight-frankle-loss"] == pytest.approx(1.0)
    least, bend = lowest(SHAPES[metric.name])
    assert least <= found["mean-loss"] + 1e-9
    assert found["mean-loss"] == pytest.approx(least, rel=0.05)
    assert found["lerp-loss"] < 0.35
    probe = here.probe("a", "b")
    curve, losses = trained(settings, probe, SHAPES[metric.name])
    assert curve.vectors[1].abs().tolist() == pytest.approx([0, bend], abs=0.1)
    assert len(losses) == settings.steps


@METRICS
def test_a_curve_in_a_convex_loss_does_not_rise_above_the_chord(metric):
    here = world(Bowl(), (-1.0, 0.5), (1.0, 1.0))
    reading = here.read(metric, ["a", "b"], CurveSettings(batch=64, steps=200))
    found = values(reading)
    assert found["lerp-loss"] == found["straight-lerp-loss"] == 0.0
    assert found["arc-mean-loss"] < sum(reading.curves[1].y["loss"]) / 21
    assert reading.converged


@METRICS
@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_a_step_goes_down_the_gradient_of_the_curve_with_respect_to_its_bend(metric, decay):
    shape = SHAPES[metric.name]
    here = world(Ring(), (-1.0, 0.3), (0.8, -0.1))
    probe = here.probe("a", "b")
    t = torch.rand((), generator=probe.generator(), dtype=torch.float64)
    a, b, c = shape(float(t))
    w0, w1 = (here.runs[key]["w"] for key in "ab")
    bend = ((w0 + w1) / 2).requires_grad_()
    point = a * w0 + b * bend + c * w1
    loss = (point.square().sum() - 1) ** 2
    (loss + decay / 2 * point.square().sum()).backward()
    settings = CurveSettings(steps=1, batch=64, rate=0.1, decay=decay)
    curve, losses = trained(settings, probe, shape)
    torch.testing.assert_close(curve.vectors[1], bend.detach() - 0.1 * bend.grad)
    assert losses == pytest.approx([loss.item()])


def test_momentum_adds_up_steps():
    here = world(Bowl(), (1.0, 0.0), (1.0, 0.0))
    probe = here.probe("a", "b")
    generator = probe.generator()
    first = float(torch.rand((), generator=generator, dtype=torch.float64))
    torch.randperm(1, generator=generator)
    second = float(torch.rand((), generator=generator, dtype=torch.float64))
    hessian = torch.tensor([[2.0, 1.0], [1.0, 6.0]]).double()
    start = torch.tensor([1.0, 0.0]).double()
    bend, speed = start, torch.zeros(2).double()
    for t in (first, second):
        a, b, c = chain(t)
        speed = 0.9 * speed + b * hessian @ ((a + c) * start + b * bend)
        bend = bend - 0.1 * speed
    # steps=4: the rate is constant for the first half
    curve, _ = trained(CurveSettings(steps=2, batch=64, rate=0.1), probe, chain)
    torch.testing.assert_close(curve.vectors[1], bend)


def test_lengths_are_those_of_a_parabola_and_of_a_right_angle():
    points = tuple(torch.tensor(p).double() for p in ([0.0, 0.0], [1.0, 2.0], [2.0, 0.0]))
    parabola = BentCurve(({}, {}), points, quadratic)
    assert parabola.length() == pytest.approx(5**0.5 + math.asinh(2) / 2, rel=1e-5)
    assert parabola.chord() == pytest.approx(2.0)
    angle = BentCurve(({}, {}), points, chain)
    assert angle.length() == pytest.approx(2 * 5**0.5)
    assert angle.vector(0.25).tolist() == [0.5, 1.0]
    assert parabola.vector(0.5).tolist() == [1.0, 1.0]


@METRICS
def test_heights_are_read_off_the_curve_and_averaged_over_its_length(metric):
    here = world(Ring(), (-0.9, 0.1), (0.7, 0.0))
    settings = CurveSettings(steps=40, points=5, batch=8)
    reading = metric.measure(settings, here.probe("a", "b"))
    found = values(reading)
    curve, _ = trained(settings, here.probe("a", "b"), SHAPES[metric.name])
    where = torch.stack([curve.vector(t) for t in (0, 0.25, 0.5, 0.75, 1)])
    losses = (where.square().sum(1) - 1) ** 2
    drawn = next(c for c in reading.curves if (c.name, c.split) == ("curve", "test"))
    assert drawn.y["loss"] == pytest.approx(losses.tolist())
    ways = (where[1:] - where[:-1]).norm(dim=1)
    drawn_losses = torch.tensor(drawn.y["loss"]).double()
    arc = ((drawn_losses[1:] + drawn_losses[:-1]) / 2 * ways).sum() / ways.sum()
    assert found["max-loss"] == pytest.approx(drawn_losses.max().item())
    assert found["min-loss"] == pytest.approx(drawn_losses.min().item())
    assert found["mean-loss"] == pytest.approx(drawn_losses.mean().item())
    assert found["arc-mean-loss"] == pytest.approx(arc.item())
    chord = drawn_losses[0] + (drawn_losses[-1] - drawn_losses[0]) * torch.arange(5) / 4
    assert found["lerp-loss"] == pytest.approx((drawn_losses - chord).max().item())
    assert found["frankle-loss"] == pytest.approx(
        (drawn_losses.max() - (drawn_losses[0] + drawn_losses[-1]) / 2).item()
    )


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 6)
        self.norm = nn.BatchNorm1d(6)
        self.two = nn.Linear(6, 3)

    def forward(self, x):
        return self.two(torch.relu(self.norm(self.one(x))))


def networks(count=40):
    generator = torch.Generator().manual_seed(3)
    runs = {}
    for key in "ab":
        state = Norms().state_dict()
        runs[key] = {
            n: torch.randn(t.shape, generator=generator) if t.dim() == 2 else t.clone()
            for n, t in state.items()
        }
    data = torch.randn(count, 4, generator=generator), torch.arange(count) % 3
    return World(Norms().eval(), {"train": data, "test": data, "ood-far": data}, runs)


def test_points_of_a_network_with_batch_norm_are_recalibrated():
    here = networks()
    settings = CurveSettings(steps=20, points=3, batch=8)
    reading = BEZIER.measure(settings, here.probe("a", "b"))
    probe = here.probe("a", "b")
    curve, _ = trained(settings, probe, quadratic)
    middle = probe.recalibrated(list(curve.points([0.5], probe)))
    ends = probe.recalibrated([probe.weights(0), probe.weights(1)])
    expected = probe.evaluate([ends[0], *middle, ends[1]], "ood-far")
    for split in ("train", "test", "ood-far"):
        drawn = next(c for c in reading.curves if (c.name, c.split) == ("curve", split))
        assert drawn.y["loss"] == pytest.approx(expected.loss.tolist(), rel=1e-4)
        assert drawn.y["error"] == pytest.approx(expected.error.tolist())
    assert reading.protocol["batch_norm"] == "statistics anew from train at every point"


def test_a_last_batch_of_one_example_has_no_spread_for_batch_norm_and_is_left_out():
    here = networks(7)
    settings = CurveSettings(steps=6, points=3, batch=3)
    reading = here.read(BEZIER, ["a", "b"], settings)
    assert reading.cost.backward == 6 * 3
    with pytest.raises(HarnessError, match="batches of one example"):
        here.read(BEZIER, ["a", "b"], CurveSettings(steps=6, points=3, batch=1))


@METRICS
def test_training_between_networks_lowers_the_loss_along_the_way(metric):
    here = networks(200)
    settings = CurveSettings(steps=100, rate=0.1, points=11)
    reading = here.read(metric, ["a", "b"], settings)
    found = values(reading, "train")
    assert found["mean-loss"] < 0.95 * sum(reading.curves[1].y["loss"]) / 11
    assert reading.converged
    again = here.read(metric, ["a", "b"], settings)
    assert again.values == reading.values


def test_a_reading_costs_what_the_card_says():
    cost = world(Ring()).read(BEZIER, ["a", "b"], CurveSettings(steps=10, batch=16, points=7)).cost
    assert cost.backward == 10 * 16
    # curve and line meet at the runs, which are evaluated once; two splits of 64
    assert cost.forward == 10 * 16 + (2 * (7 - 2) + 2) * 2 * 64


def test_a_training_that_explodes_is_said_not_to_have_converged():
    reading = world(Ring(), (-1.0, 0.2)).read(POLYCHAIN, ["a", "b"], CurveSettings(rate=50.0))
    assert not reading.converged
    assert reading.protocol["steps"] < 1000
    assert values(reading)["straight-lerp-loss"] == pytest.approx(1.0, abs=0.1)


@METRICS
def test_a_curve_that_ends_above_the_straight_line_has_not_converged(metric):
    settings = CurveSettings(steps=1, rate=9.0, batch=64)
    reading = world(Bowl(), (-0.1, -1.0), (0.1, -1.0)).read(metric, ["a", "b"], settings)
    above = reading.curves[0].y["loss"], reading.curves[1].y["loss"]
    assert sum(above[0]) > 1.01 * sum(above[1])
    assert not reading.converged


def test_a_diverged_run_gives_no_number_and_no_exception():
    here = world(Ring(), (math.nan, 0.0))
    reading = here.read(BEZIER, ["a", "b"])
    assert math.isnan(values(reading)["lerp-loss"])
    assert not reading.converged


def test_two_runs_that_are_the_same_have_a_curve_of_no_known_relative_length():
    reading = world(Ring(), (1.0, 0.0)).read(BEZIER, ["a", "b"], CurveSettings(steps=5))
    length = next(value for value in reading.values if value.name == "length")
    assert math.isnan(length.value)
