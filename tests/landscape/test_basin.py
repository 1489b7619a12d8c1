import math

import pytest
import torch
from torch import nn

from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.basin import BASIN, BasinSettings
from harness_landscape.quadrature import deviation, half_normal

ABSOLUTE = math.sqrt(2 / math.pi)  # E|nu| of a standard normal


class Surface(nn.Module):
    """A loss that is a function of the weights alone."""

    def __init__(self, loss, size):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))
        self.loss = loss

    def forward(self, x):
        return self.loss(self.w)


def segment(loss, start, end, names=("a", "b")):
    ends = [torch.tensor(w, dtype=torch.float64).reshape(-1) for w in (start, end)]
    data = torch.zeros(2, 1).double(), torch.zeros(2).double()
    runs = dict(zip(names, ({"w": w} for w in ends), strict=True))
    return World(Surface(loss, len(ends[0])), {"train": data, "test": data}, runs, LOSS_ITSELF)


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


def test_a_flat_box_has_no_epsilon_and_walls_as_high_as_nu_is_long():
    world = segment(lambda w: (w.abs() - 1).relu().sum(), -1.0, 1.0)
    found = values(world.read(BASIN, ["a", "b"], BasinSettings(deltas=(0.1, 0.5))))
    assert found["epsilon"] == pytest.approx(0, abs=1e-12)
    assert found["length"] == 2.0
    for relative in (0.1, 0.5):  # of the length
        assert found[f"rise-along[{relative}]"] == pytest.approx(2 * relative * ABSOLUTE)


@pytest.mark.parametrize("c", [0.5, 3.0])
def test_a_quadratic_has_the_epsilon_and_the_rises_of_its_closed_form(c):
    r, relative = 1.5, 0.25
    world = segment(lambda w: c * w.square().sum(), -r, r)
    settings = BasinSettings(points=401, deltas=(relative,), samples=400)
    reading = world.read(BASIN, ["a", "b"], settings)
    found = values(reading)
    delta = relative * 2 * r
    assert found["mean-loss"] == pytest.approx(c * r**2 / 3, rel=1e-4)
    assert found["epsilon"] == pytest.approx(4 * c * r**2 / (9 * math.sqrt(3)), rel=1e-4)
    exact = c * (2 * r**2 / 3 + 2 * r * delta * ABSOLUTE + delta**2)
    assert found["rise-along[0.25]"] == pytest.approx(exact, rel=1e-4)
    around = next(value for value in reading.values if value.name == "rise-around[0.25]")
    exact = c * (2 * r**2 / 3 + delta**2)
    assert abs(around.value - exact) < 4 * around.standard_error
    assert found["delta-relative"] == 0.25  # the walls of a parabola are high enough at once


def test_delta_is_the_least_at_which_both_rises_reach_two_epsilon():
    # a hump of height 1 between the runs, then a floor, and walls from 1 outside of either end
    def loss(w):
        hump = (1 - w.square()).relu()
        return (hump + 4 * (w.abs() - 2).relu()).sum()

    world = segment(loss, -1.0, 1.0)
    settings = BasinSettings(points=201, deltas=(0.125, 0.25, 0.5, 1.0, 2.0, 4.0), samples=200)
    reading = world.read(BASIN, ["a", "b"], settings)
    found = values(reading)
    enough = 2 * found["epsilon"]
    assert found["epsilon"] == pytest.approx(4 / (9 * math.sqrt(3)), rel=1e-3)
    least = found["delta-relative"]
    for delta in settings.deltas:
        both = min(found[f"rise-along[{delta:g}]"], found[f"rise-around[{delta:g}]"])
        assert (both >= enough) == (delta >= least)
    assert 0.125 < least < 4
    assert found["delta"] == 2 * least


def test_a_loss_that_never_rises_outside_has_an_infinite_delta_and_says_so():
    reading = segment(lambda w: (1 - w.square()).relu().sum(), -1.0, 1.0).read(BASIN, ["a", "b"])
    assert values(reading)["delta"] == math.inf
    assert not reading.converged


def test_the_mean_rise_over_random_displacements_is_unbiased_and_its_error_is_as_reported():
    eigenvalues = torch.tensor([5.0, 1.0, 0.5, 0.0]).double()
    settings = BasinSettings(points=3, deltas=(0.5,), samples=6)
    found, errors = [], []
    for seed in range(40):
        names = f"a{seed}", f"b{seed}"  # runs have streams of their own
        world = segment(
            lambda w: (eigenvalues * w.square()).sum() / 2, [0.0] * 4, [0.0, 0.0, 0.0, 2.0], names
        )
        reading = world.read(BASIN, names, settings)
        value = next(value for value in reading.values if value.name == "rise-around[0.5]")
        found.append(value.value)
        errors.append(value.standard_error)
    found, errors = torch.tensor(found), torch.tensor(errors)
    exact = (0.5 * 2.0) ** 2 / 4 * eigenvalues.sum().item() / 2  # delta^2 / P tr(H) / 2
    assert abs(found.mean().item() - exact) < 4 * found.std().item() / 40**0.5
    assert errors.square().mean().sqrt().item() == pytest.approx(found.std().item(), rel=0.3)


@pytest.mark.parametrize("deltas", [(), (0.0,), (-1.0, 1.0)])
def test_every_delta_lies_outside(deltas):
    with pytest.raises(ValueError, match="deltas"):
        BasinSettings(deltas=deltas)


def test_quadrature_has_the_moments_of_the_half_normal():
    places, weights = (torch.tensor(part, dtype=torch.float64) for part in half_normal(5))
    exact = [1, ABSOLUTE, 1, 2 * ABSOLUTE, 3, 8 * ABSOLUTE, 15, 48 * ABSOLUTE, 105, 384 * ABSOLUTE]
    found = [float(weights @ places**power) for power in range(10)]
    assert found == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("heights", [[3.0, 3.0, 3.0], [0.0, 1.0, 0.0], [0.0, 4.0, 1.0, 1.0]])
def test_the_deviation_is_that_of_a_curve_that_is_straight_between_its_points(heights):
    curve = torch.tensor(heights).double()
    fine = torch.nn.functional.interpolate(
        curve[None, None], size=200_001, mode="linear", align_corners=True
    )[0, 0]
    mean, epsilon = deviation(curve)
    assert mean == pytest.approx(fine.mean().item(), rel=1e-4)
    assert epsilon == pytest.approx((fine - fine.mean()).abs().mean().item(), rel=1e-3, abs=1e-4)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.norm = nn.Linear(5, 8), nn.BatchNorm1d(8)
        self.two = nn.Linear(8, 3)

    def forward(self, x):
        return self.two(torch.relu(self.norm(self.one(x))))


def networks():
    generator = torch.Generator().manual_seed(3)

    def run():
        found = Net().state_dict()
        noise = {n: torch.randn(t.shape, generator=generator) for n, t in found.items()}
        return {n: noise[n].abs() if "var" in n else noise[n].to(t) for n, t in found.items()}

    x = torch.randn(40, 5, generator=generator)
    data = x, torch.arange(40) % 3
    splits = {"train": data, "test": data, "ood-far": (3 * x, data[1])}
    return World(Net(), splits, {"a": run(), "b": run()})


SMALL = BasinSettings(deltas=(0.5, 1.0), samples=2)


def test_it_is_read_on_every_split_of_a_network_and_costs_what_the_card_says():
    reading = networks().read(BASIN, ["a", "b"], SMALL)
    for split in ("test", "ood-far"):
        assert values(reading, split)["epsilon"] > 0
    points = 11 + 2 * 2 * (5 + 2)
    assert reading.cost.forward == points * 40 + 2 * points * 40  # anew from train, then two splits
    assert reading.protocol["batch_norm"] == "statistics anew from train at every point"


def test_epsilon_and_the_rise_along_do_not_depend_on_the_order_of_the_runs():
    world = networks()
    there, back = (values(world.read(BASIN, pair, SMALL)) for pair in (["a", "b"], ["b", "a"]))
    for name in ("epsilon", "mean-loss", "length", "rise-along[0.5]", "rise-along[1]"):
        assert there[name] == pytest.approx(back[name], rel=1e-4)


def test_reading_twice_in_a_row_gives_the_same():
    world = networks()
    shared = world.shared()
    first, second = (world.read(BASIN, ["a", "b"], SMALL, shared=shared) for _ in range(2))
    assert first.values == second.values


@pytest.mark.parametrize("height", [0.1, 14.0771, 1e6 / 3])
def test_two_runs_that_are_the_same_are_a_basin_of_no_size(height):
    world = segment(lambda w: height + 0 * w.sum(), 0.3, 0.3)
    reading = world.read(BASIN, ["a", "b"])
    found = values(reading)
    assert found["epsilon"] == found["delta"] == found["length"] == 0
    assert reading.converged


def test_a_diverged_run_gives_no_number_and_no_exception():
    world = networks()
    world.runs["b"]["two.weight"].fill_(math.nan)
    found = values(world.read(BASIN, ["a", "b"], SMALL))
    assert math.isnan(found["epsilon"])
    assert math.isnan(found["delta"])
