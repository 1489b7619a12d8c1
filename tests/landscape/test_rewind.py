import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.rewind import REWIND, RewindSettings

PAST = RewindSettings(fresh=0)


class Weight(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))


class Two(nn.Module):
    """A loss that is a sum of u^2 and 3 v^2 of two modules of one weight each."""

    def __init__(self):
        super().__init__()
        self.u, self.v = Weight(), Weight()

    def forward(self, x):
        return (self.u.w.square() + 3 * self.v.w.square()).sum()


def sums():
    data = torch.zeros(3, 1).double(), torch.zeros(3).double()
    places = {"a": (0.5, 0.0), "a/init": (2.0, 1.0), "a/checkpoint-7": (1.0, 0.0)}
    runs = {
        key: {"u.w": torch.tensor([u]).double(), "v.w": torch.tensor([v]).double()}
        for key, (u, v) in places.items()
    }
    return World(Two(), {"train": data, "test": data}, runs, LOSS_ITSELF)


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


def test_a_sum_of_functions_rises_by_that_of_the_module_that_goes_back():
    found = values(sums().read(REWIND, ["a"], PAST))
    assert found["loss-init[u]"] == pytest.approx(4 - 0.25)
    assert found["loss-init[v]"] == pytest.approx(3.0)
    assert found["loss-checkpoint-7[u]"] == pytest.approx(1 - 0.25)
    assert found["loss-checkpoint-7[v]"] == 0.0  # as it was
    assert found["loss-init-max"] == found["loss-init[u]"]
    assert found["error-init-max"] == 0.0


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4))
        self.two = nn.Linear(4, 3)

    def forward(self, x):
        return self.two(torch.relu(self.body(x)))


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))


def networks(network=Net, points=("a", "a/pretrained", "a/init", "a/fresh-1")):
    generator = torch.Generator().manual_seed(0)
    runs = {
        key: {
            n: torch.rand(t.shape, generator=generator) if t.is_floating_point() else t.clone()
            for n, t in network().state_dict().items()
        }
        for key in points
    }
    if "a/pretrained" in runs:
        runs["a/pretrained"] = runs["a/init"]
    splits = {
        name: (torch.randn(40, 5, generator=generator), torch.arange(40) % 3)
        for name in ("train", "test", "ood-far")
    }
    return World(network().eval(), splits, runs)


def test_exchanged_modules_are_evaluated_as_they_are_with_statistics_of_their_own():
    world = networks()
    reading = world.read(REWIND, ["a"])
    assert reading.protocol["points"] == ["init", "fresh-1"]
    assert reading.protocol["start"] == "pretrained"
    assert reading.protocol["batch_norm"] == "statistics anew from train at every point"
    probe = world.probe("a")
    final = world.runs["a"]
    for point in ("init", "fresh-1"):
        there = world.runs[f"a/{point}"]
        for module in ("body.0", "body.1", "two"):
            own = {f"{module}.weight", f"{module}.bias"}
            swapped = {**final, **{name: there[name] for name in own}}
            ready = probe.recalibrated([final, swapped])
            for split in ("test", "ood-far"):
                at = probe.evaluate(ready, split, each=True)
                rise = at.example_losses[1] - at.example_losses[0]
                value = next(
                    value
                    for value in reading.values
                    if (value.name, value.split) == (f"loss-{point}[{module}]", split)
                )
                assert value.value == pytest.approx(rise.mean().item(), abs=1e-6)
                assert value.standard_error == pytest.approx(rise.std().item() / 40**0.5, rel=1e-3)
                assert values(reading, split)[f"error-{point}[{module}]"] == pytest.approx(
                    (at.error[1] - at.error[0]).item()
                )


def test_rewinding_everything_at_once_gives_the_score_of_the_start_itself():
    world = networks(Plain)
    world.runs["a/init"]["two.weight"][:] = world.runs["a"]["two.weight"]
    world.runs["a/init"]["two.bias"][:] = world.runs["a"]["two.bias"]
    found = values(world.read(REWIND, ["a"], PAST))
    probe = world.probe("a")
    ends = probe.evaluate([probe.weights(point="init"), probe.weights()], "test")
    assert found["loss-init[one]"] == pytest.approx((ends.loss[0] - ends.loss[1]).item(), abs=1e-6)
    assert found["loss-init[two]"] == 0.0


def test_named_modules_go_with_all_their_parts_and_named_points_are_those_gone_to():
    settings = RewindSettings(points=("pretrained",), fresh=0, modules=("body",))
    reading = networks().read(REWIND, ["a"], settings)
    assert {value.name for value in reading.values} == {
        f"{quantity}-pretrained{what}"
        for quantity in ("loss", "error")
        for what in ("-max", "[body]")
    }


def test_grid_and_curve_hold_modules_and_points_by_name():
    reading = sums().read(REWIND, ["a"], PAST)
    (grid,) = reading.grids
    assert grid.labels == {"x": ["init", "checkpoint-7"], "y": ["u", "v"]}
    assert grid.z["loss"] == [pytest.approx([3.75, 0.75]), pytest.approx([3.0, 0.0])]
    (curve,) = reading.curves
    assert curve.labels == ["u", "v"]
    assert curve.y["loss-init"] == pytest.approx([3.75, 3.0])


def test_a_reading_costs_what_the_card_says():
    cost = networks(Plain).read(REWIND, ["a"], RewindSettings(fresh=1)).cost
    assert cost.forward == (2 * 2 + 1) * 2 * 40  # 2 modules x 2 points, and the run; two splits


def test_a_point_that_the_run_does_not_have_is_refused():
    with pytest.raises(HarnessError, match="checkpoint-9"):
        networks().read(REWIND, ["a"], RewindSettings(points=("checkpoint-9",)))
    with pytest.raises(HarnessError, match="no earlier point"):
        networks(points=("a",)).read(REWIND, ["a"], PAST)


def test_a_diverged_run_gives_no_number_and_no_exception():
    world = networks(Plain)
    world.runs["a"]["two.weight"].fill_(math.nan)
    found = values(world.read(REWIND, ["a"], PAST))
    assert math.isnan(found["loss-init[one]"])
    assert math.isnan(found["loss-init-max"])
    assert math.isnan(found["error-init[one]"])  # an error of 1 that noise could not raise
    assert math.isnan(found["error-init-max"])
