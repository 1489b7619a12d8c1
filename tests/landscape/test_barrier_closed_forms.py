import pytest
import torch
from torch import nn

from harness.measure.scene import CLASSIFICATION, Objective
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.barrier import BARRIER, BarrierSettings


class Curve(nn.Module):
    """A loss that is a function of the weights alone."""

    def __init__(self, loss, size=1):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))
        self.loss = loss

    def forward(self, x):
        return self.loss(self.w)


def along(loss, start, end):
    """Readings of loss(w) on the line from start to end."""
    ends = [torch.tensor(w, dtype=torch.float64).reshape(-1) for w in (start, end)]
    data = torch.zeros(3, 1, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    runs = {"a": {"w": ends[0]}, "b": {"w": ends[1]}}
    return World(Curve(loss, len(ends[0])), {"train": data, "test": data}, runs, LOSS_ITSELF)


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


def samples(*heights):
    """A piecewise linear loss through equidistant heights on [0, 1]."""
    last = len(heights) - 1

    def loss(w):
        place = min(int(w.item() * last + 1e-9), last - 1)
        part = w.item() * last - place
        return torch.tensor((1 - part) * heights[place] + part * heights[place + 1]) + 0 * w.sum()

    return loss


W_SHAPE = samples(1, 0.5, 0, 0.25, 0.5, 0.25, 0, 0.25, 0.5, 0.75, 1)


@pytest.mark.parametrize(
    ("loss", "start", "end", "lerp", "frankle"),
    [
        (lambda w: w.sum(), 0.0, 1.0, 0.0, 0.5),
        (lambda w: (w**2).sum(), -1.0, 1.0, 0.0, 0.0),
        (lambda w: ((w**2 - 1) ** 2).sum(), -1.0, 1.0, 1.0, 1.0),
        (lambda w: (w * (1 - w)).sum(), 0.0, 1.0, 0.25, 0.25),
        (W_SHAPE, 0.0, 1.0, 0.0, 0.0),
    ],
    ids=["linear", "quadratic", "double well", "parabola", "W"],
)
def test_closed_forms_along_a_line_have_their_barriers(loss, start, end, lerp, frankle):
    found = values(along(loss, start, end).read(BARRIER, ["a", "b"]))
    assert found["lerp-loss"] == pytest.approx(lerp, abs=1e-12)
    assert found["frankle-loss"] == pytest.approx(frankle, abs=1e-12)


def test_five_samples_have_no_barrier_above_their_ends():
    world = along(samples(1, 0, 0.5, 0, 1), 0.0, 1.0)
    found = values(world.read(BARRIER, ["a", "b"], BarrierSettings(points=5)))
    assert (found["lerp-loss"], found["frankle-loss"]) == (0.0, 0.0)


@pytest.mark.parametrize("c", [-3.0, -0.1, 0.0, 0.1, 3.0])
def test_a_quadratic_has_an_eighth_of_its_negative_curvature_as_barrier(c):
    generator = torch.Generator().manual_seed(0)
    start, end = torch.randn(2, 4, generator=generator).double()
    d = end - start
    noise = torch.randn(4, 4, generator=generator).double()
    matrix = noise + noise.T
    matrix += (c - d @ matrix @ d) * torch.outer(d, d) / (d @ d) ** 2  # now d'Hd = c

    world = along(lambda w: w @ matrix @ w / 2 + w.sum(), start.tolist(), end.tolist())
    reading = world.read(BARRIER, ["a", "b"])
    found = values(reading)
    assert found["lerp-loss"] == pytest.approx(max(0.0, -c / 8), abs=1e-12)
    if c < 0:
        assert found["lerp-loss-alpha"] == 0.5
    chord = [
        (1 - a) * reading.curves[0].y["loss"][0] + a * reading.curves[0].y["loss"][-1]
        for a in reading.curves[0].x
    ]
    above = [loss - line for loss, line in zip(reading.curves[0].y["loss"], chord, strict=True)]
    exact = [-c * a * (1 - a) / 2 for a in reading.curves[0].x]
    assert above == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize(
    "objective",
    [
        Objective(lambda out, y: (out[:, 0] - y) ** 2, lambda out, y: torch.zeros_like(out[:, 0])),
        CLASSIFICATION,
    ],
    ids=["linear regression", "softmax regression"],
)
def test_convex_losses_have_no_barrier(objective):
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
    world = World(Linear(), {"train": data, "test": data}, runs, objective)
    assert values(world.read(BARRIER, ["a", "b"]))["lerp-loss"] == 0.0


def test_the_reported_standard_error_agrees_with_the_spread_over_samples():
    def loss(out, y):
        return out * (1 + y)  # example i has its own height; barrier 1/4 of the mean of 1 + y

    generator = torch.Generator().manual_seed(3)
    module = Curve(lambda w: (w * (1 - w)).sum())
    runs = {name: {"w": torch.tensor([end]).double()} for name, end in (("a", 0.0), ("b", 1.0))}
    heights, errors = [], []
    settings = BarrierSettings(points=3)
    for _ in range(200):
        y = torch.randn(50, generator=generator).double()
        objective = Objective(loss, lambda out, y: torch.zeros_like(y))
        data = torch.zeros(50, 1).double(), y
        world = World(module, {"train": data, "test": data}, runs, objective)
        value = world.read(BARRIER, ["a", "b"], settings).values[0]
        heights.append(value.value)
        errors.append(value.standard_error)
    heights, errors = torch.tensor(heights), torch.tensor(errors)
    assert abs(heights.mean() - 0.25) < 4 * heights.std() / 200**0.5
    assert errors.mean() == pytest.approx(heights.std().item(), rel=0.2)
