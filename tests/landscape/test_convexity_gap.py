import math

import pytest
import torch
from torch import nn

from harness.measure.scene import Objective
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.barrier import BARRIER
from harness_landscape.convexity_gap import (
    CONVEXITY_GAP,
    ConvexityGapSettings,
    gaps,
    resampled,
)


class Curve(nn.Module):
    """A loss that is a function of the weights alone."""

    def __init__(self, loss):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.loss = loss

    def forward(self, x):
        return self.loss(self.w)


def along(loss, start=0.0, end=1.0, objective=LOSS_ITSELF, y=None):
    y = torch.zeros(3, dtype=torch.float64) if y is None else y
    data = torch.zeros(len(y), 1, dtype=torch.float64), y
    runs = {name: {"w": torch.tensor([w]).double()} for name, w in (("a", start), ("b", end))}
    return World(Curve(loss), {"train": data, "test": data}, runs, objective)


def samples(*heights):
    """A piecewise linear loss through equidistant heights on [0, 1]."""
    last = len(heights) - 1

    def loss(w):
        place = min(int(w.item() * last + 1e-9), last - 1)
        part = w.item() * last - place
        return torch.tensor((1 - part) * heights[place] + part * heights[place + 1]) + 0 * w.sum()

    return loss


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


@pytest.mark.parametrize(
    ("loss", "start", "end", "points", "gap"),
    [
        (lambda w: w.sum(), 0.0, 1.0, 11, 0.0),
        (lambda w: (w**2).sum(), -1.0, 1.0, 11, 0.0),
        (lambda w: ((w**2 - 1) ** 2).sum(), -1.0, 1.0, 11, 1.0),
        (lambda w: (w * (1 - w)).sum(), 0.0, 1.0, 11, 0.25),
        (lambda w: (-3 * w**2 / 2).sum(), 0.0, 1.0, 11, 3 / 8),
        (samples(1, 0, 0.5, 0, 1), 0.0, 1.0, 5, 0.5),
        (samples(1, 0.5, 0, 0.25, 0.5, 0.25, 0, 0.25, 0.5, 0.75, 1), 0.0, 1.0, 11, 0.5),
    ],
    ids=["linear", "quadratic", "double well", "parabola", "curvature -3", "five samples", "W"],
)
def test_closed_forms_along_a_line_have_their_gaps(loss, start, end, points, gap):
    settings = ConvexityGapSettings(points=points)
    found = values(along(loss, start, end).read(CONVEXITY_GAP, ["a", "b"], settings))
    assert found["gap-loss"] == pytest.approx(gap, abs=1e-12)
    assert found["gap-error"] == 0.0


def test_the_three_points_of_the_gap_are_told():
    shape = samples(1, 0.5, 0, 0.25, 0.5, 0.25, 0, 0.25, 0.5, 0.75, 1)
    found = values(along(shape).read(CONVEXITY_GAP, ["a", "b"]))
    places = [found[f"gap-loss-{where}"] for where in ("start", "alpha", "end")]
    assert places == pytest.approx([0.2, 0.4, 0.6])


def test_the_gap_is_the_largest_excess_over_all_chords():
    generator = torch.Generator().manual_seed(0)
    heights = torch.randn(4, 9, generator=generator).double()

    def slowly(curve):
        return max(
            curve[k] - ((j - k) * curve[i] + (k - i) * curve[j]) / (j - i)
            for i in range(9)
            for k in range(i + 1, 9)
            for j in range(k + 1, 9)
        )

    exact = [float(slowly(curve)) for curve in heights]
    assert gaps(heights).tolist() == pytest.approx(exact)
    assert gaps(heights.flip(1)).tolist() == pytest.approx(exact)
    slope = torch.linspace(-5, 9, 9).double()
    assert gaps(heights + slope).tolist() == pytest.approx(exact)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.norm = nn.Linear(6, 12), nn.BatchNorm1d(12)
        self.two = nn.Linear(12, 4)

    def forward(self, x):
        return self.two(torch.relu(self.norm(self.one(x))))


def networks():
    generator = torch.Generator().manual_seed(2)

    def run():
        state = Net().state_dict()
        noise = {n: torch.randn(t.shape, generator=generator) for n, t in state.items()}
        return {n: noise[n].abs() if "var" in n else noise[n].to(t) for n, t in state.items()}

    x = torch.randn(50, 6, generator=generator)
    data = x, torch.arange(50) % 4
    far = 2 * x, torch.arange(50) % 4
    splits = {"train": data, "test": data, "ood-far": far}
    return World(Net(), splits, {"a": run(), "b": run()})


def test_the_curve_is_the_one_of_barrier_and_the_gap_at_least_its_height():
    world = networks()
    gap, barrier = (world.read(metric, ["a", "b"]) for metric in (CONVEXITY_GAP, BARRIER))
    assert gap.curves == barrier.curves
    assert gap.protocol["batch_norm"] == barrier.protocol["batch_norm"]
    for split in ("test", "ood-far"):
        for quantity in ("loss", "error"):
            height = values(barrier, split)[f"lerp-{quantity}"]
            assert values(gap, split)[f"gap-{quantity}"] >= height - 1e-12


def test_the_order_of_the_two_runs_does_not_matter():
    world = networks()
    there, back = (world.read(CONVEXITY_GAP, pair) for pair in (["a", "b"], ["b", "a"]))
    for split in ("test", "ood-far"):
        one, other = values(there, split), values(back, split)
        assert one["gap-loss"] == pytest.approx(other["gap-loss"], rel=1e-4)
        assert one["gap-error"] == pytest.approx(other["gap-error"])


def test_convex_losses_have_no_gap():
    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 3).double()

        def forward(self, x):
            return self.layer(x)

    generator = torch.Generator().manual_seed(1)
    x = torch.randn(40, 5, generator=generator).double()
    runs = {
        name: {
            "layer.weight": torch.randn(3, 5, generator=generator).double(),
            "layer.bias": torch.randn(3, generator=generator).double(),
        }
        for name in "ab"
    }
    data = x, torch.arange(40) % 3
    world = World(Linear(), {"train": data, "test": data}, runs)
    assert values(world.read(CONVEXITY_GAP, ["a", "b"]))["gap-loss"] == 0.0


def noisy(each):
    """A world whose example i has the loss each[i] at each of eleven places on the line."""
    last = each.shape[0] - 1
    objective = Objective(
        losses=lambda out, y: each[round(float(out.detach()) * last), : len(y)] + 0 * out,
        errors=lambda out, y: torch.zeros_like(y),
    )
    return along(lambda w: w.sum(), objective=objective, y=torch.zeros(each.shape[1]).double())


def test_noise_on_a_straight_curve_stays_below_the_threshold_as_often_as_it_says():
    generator = torch.Generator().manual_seed(5)
    settings = ConvexityGapSettings(resamples=100, level=0.9)
    below = 0
    for _ in range(100):
        each = torch.randn(11, 80, generator=generator).double()
        found = values(noisy(each).read(CONVEXITY_GAP, ["a", "b"], settings))
        assert found["gap-loss"] > 0  # noise alone makes a gap
        below += found["gap-loss"] <= found["gap-loss-noise"]
    assert 78 <= below <= 99  # 90 expected; 4 standard errors are 12


def test_a_gap_that_is_no_noise_stands_above_the_threshold():
    each = torch.randn(11, 400, generator=torch.Generator().manual_seed(6)).double()
    place = torch.linspace(0, 1, 11).double()
    found = values(noisy(each + (8 * place * (1 - place))[:, None]).read(CONVEXITY_GAP, ["a", "b"]))
    assert found["gap-loss"] > 5 * found["gap-loss-noise"]


def test_bootstrap_means_have_the_variance_of_a_mean():
    each = torch.randn(3, 60, generator=torch.Generator().manual_seed(7)).double()
    draws = resampled(each, 2000, torch.Generator().manual_seed(8))
    assert draws.shape == (2000, 3)
    exact = each.std(1, correction=0) / 60**0.5
    assert draws.std(0).tolist() == pytest.approx(exact.tolist(), rel=4 / (2 * 2000) ** 0.5)
    assert ((draws.mean(0) - each.mean(1)).abs() < 4 * exact / 2000**0.5).all()


def test_the_reported_standard_error_agrees_with_the_spread_over_samples():
    generator = torch.Generator().manual_seed(3)
    objective = Objective(lambda out, y: out * (1 + y), lambda out, y: torch.zeros_like(y))
    settings = ConvexityGapSettings(points=3, resamples=20)
    found, errors = [], []
    for _ in range(120):
        y = torch.randn(50, generator=generator).double()
        world = along(lambda w: (w * (1 - w)).sum(), objective=objective, y=y)
        value = world.read(CONVEXITY_GAP, ["a", "b"], settings).values[0]
        found.append(value.value)
        errors.append(value.standard_error)
    found, errors = torch.tensor(found), torch.tensor(errors)
    assert abs(found.mean() - 0.25) < 4 * found.std() / 120**0.5
    assert errors.mean() == pytest.approx(found.std().item(), rel=0.2)


def test_readings_do_not_depend_on_the_pack_nor_on_what_came_before():
    world = networks()
    shared = world.shared()
    world.read(BARRIER, ["a", "b"], shared=shared)
    later = world.read(CONVEXITY_GAP, ["a", "b"], shared=shared)
    alone = world.read(CONVEXITY_GAP, ["a", "b"])
    assert (later.values, later.curves) == (alone.values, alone.curves)


@pytest.mark.parametrize("runs", ["ab", "ba", "bb"])
def test_a_diverged_run_has_no_gap_also_not_of_the_error_which_is_1_all_along(runs):
    world = networks()
    world.runs["b"]["one.weight"].fill_(float("nan"))
    reading = world.read(CONVEXITY_GAP, list(runs))
    assert reading.curves[0].y["error"][-1 if runs != "ba" else 0] == 1
    assert all(math.isnan(value.value) for value in reading.values)
    assert all(value.standard_error is None for value in reading.values)


def test_where_gaps_lie_and_what_noise_reaches_are_details():
    found = networks().read(CONVEXITY_GAP, ["a", "b"]).values
    assert {v.name for v in found if not v.detail} == {"gap-loss", "gap-error"}
