import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.plane import PLANE, PlaneSettings
from harness_landscape.plane_geometry import through


class Quadratic(nn.Module):
    """Squared distance from a centre that each example brings, stretched by a matrix."""

    def __init__(self, matrix):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(len(matrix), dtype=torch.float64))
        self.matrix = matrix

    def forward(self, x):
        away = self.w - x
        return ((away @ self.matrix) * away).sum(-1) / 2


def quadratic(**points):
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(10, 10, generator=generator, dtype=torch.float64)
    corners = torch.randn(4, 10, generator=generator, dtype=torch.float64)
    none = torch.zeros(3).double()
    splits = {
        "train": (torch.zeros(3, 10).double(), none),
        "test": (corners[3].repeat(3, 1), none),
        "ood-far": (2 * corners[3].repeat(3, 1), none),
    }
    runs = {"a/pretrained": {"w": corners[0]}, "a": {"w": corners[1]}, "b": {"w": corners[2]}}
    runs |= {name: {"w": vector} for name, vector in points.items()}
    return World(Quadratic(noise + noise.T), splits, runs, LOSS_ITSELF)


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


def test_heights_are_those_of_the_weights_at_the_grids_own_coordinates():
    world = quadratic()
    start, first, second = (world.runs[name]["w"] for name in ("a/pretrained", "a", "b"))
    plane = through(start, first, second)
    reading = world.read(PLANE, ["a", "b"], PlaneSettings(points=5))
    assert [grid.split for grid in reading.grids] == ["test", "ood-far"]
    for grid in reading.grids:
        centre = world.splits[grid.split][0][0]
        for row, y in zip(grid.z["loss"], grid.y, strict=True):
            for height, x in zip(row, grid.x, strict=True):
                away = start + x * plane.across + y * plane.up - centre
                assert height == pytest.approx(float(away @ world.module.matrix @ away / 2))


def test_distances_in_the_plane_are_distances_between_the_runs():
    world = quadratic()
    (grid, _) = world.read(PLANE, ["a", "b"], PlaneSettings(points=3)).grids
    names = {"start": "a/pretrained", "first": "a", "second": "b"}
    for one in names:
        for other in names:
            apart = float((world.runs[names[one]]["w"] - world.runs[names[other]]["w"]).norm())
            assert math.dist(grid.marks[one], grid.marks[other]) == pytest.approx(apart, abs=1e-12)
    assert grid.marks["start"] == (0, 0)
    assert grid.marks["first"][1] == 0
    assert grid.marks["second"][1] > 0


def test_the_grid_holds_all_three_points_and_a_margin():
    (grid, _) = quadratic().read(PLANE, ["a", "b"], PlaneSettings(points=9, margin=0.5)).grids
    for axis, places in ((0, grid.x), (1, grid.y)):
        marks = [mark[axis] for mark in grid.marks.values()]
        extent = max(marks) - min(marks)
        assert places[0] == pytest.approx(min(marks) - extent / 2)
        assert places[-1] == pytest.approx(max(marks) + extent / 2)
        assert len(places) == 9


def test_the_gain_is_what_the_lowest_point_of_the_plane_is_below_the_better_run():
    corners = {"a/pretrained": [0, 0, 1], "a": [4, 0, 1], "b": [0, 5, 1]}
    runs = {name: {"w": torch.tensor(at).double()} for name, at in corners.items()}
    data = torch.tensor([[2.0, 2.0, 0.0]]).double(), torch.zeros(1).double()
    world = World(
        Quadratic(torch.eye(3).double()), {"train": data, "test": data}, runs, LOSS_ITSELF
    )
    reading = world.read(PLANE, ["a", "b"], PlaneSettings(points=5, margin=0))
    found = values(reading)
    assert (found["loss-first"], found["loss-second"]) == pytest.approx((4.5, 7))
    assert found["gain-loss"] == pytest.approx(4.5 - 0.625)
    assert (found["best-loss-x"], found["best-loss-y"]) == pytest.approx((2, 2.5))
    assert found["gain-error"] == 0


def test_no_gain_is_negative_even_on_a_grid_that_misses_the_runs():
    found = values(quadratic().read(PLANE, ["a", "b"], PlaneSettings(points=2, margin=5)))
    assert found["gain-loss"] >= 0
    assert found["gain-error"] >= 0


def test_the_start_is_the_pretrained_point_and_any_other_can_be_named():
    vector = torch.arange(10).double()
    world = quadratic(**{"a/init": vector, "a/checkpoint-5": -vector})
    assert world.read(PLANE, ["a", "b"], PlaneSettings(points=2)).protocol["third"] == "pretrained"
    named = world.read(PLANE, ["a", "b"], PlaneSettings(points=2, third="checkpoint-5"))
    assert named.protocol["third"] == "checkpoint-5"
    away = -vector - world.splits["test"][0][0]
    expected = float(away @ world.module.matrix @ away / 2)
    assert values(named)["loss-start"] == pytest.approx(expected)
    del world.runs["a/pretrained"]
    assert world.read(PLANE, ["a", "b"], PlaneSettings(points=2)).protocol["third"] == "init"


def test_three_points_on_a_line_and_an_unknown_start_are_refused_in_words():
    world = quadratic()
    with pytest.raises(HarnessError, match="one line"):
        world.read(PLANE, ["a", "a"], PlaneSettings(points=2))
    middle = (world.runs["a"]["w"] + world.runs["a/pretrained"]["w"]) / 2
    with pytest.raises(HarnessError, match="one line"):
        quadratic(c=middle).read(PLANE, ["a", "c"], PlaneSettings(points=2))
    del world.runs["a/pretrained"]
    with pytest.raises(HarnessError, match="not known where the first run started"):
        world.read(PLANE, ["a", "b"])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.two = nn.Linear(8, 3)

    def forward(self, x):
        return self.two(torch.relu(self.norm(self.one(x))))


def network():
    generator = torch.Generator().manual_seed(0)
    runs = {
        name: {
            part: torch.rand(tensor.shape, generator=generator)
            if tensor.is_floating_point()
            else tensor.clone()
            for part, tensor in Net().state_dict().items()
        }
        for name in ("a/init", "a", "b")
    }
    data = torch.randn(60, 4, generator=generator), torch.arange(60) % 3
    return World(Net().eval(), {"train": data, "test": data, "ood-x": data}, runs)


def test_batch_norm_is_recalibrated_everywhere_unless_told_otherwise():
    world = network()
    reading = world.read(PLANE, ["a", "b"], PlaneSettings(points=2))
    assert reading.protocol["batch_norm"] == "statistics anew from train at every point"
    probe = world.probe("a", "b")
    first = probe.recalibrated([probe.weights(0)])
    expected = float(probe.evaluate(first, "test").loss[0])
    assert values(reading)["loss-first"] == pytest.approx(expected)
    stored = world.read(PLANE, ["a", "b"], PlaneSettings(points=2, recalibrate="never"))
    expected = float(probe.evaluate([probe.weights(0)], "test").loss[0])
    assert values(stored)["loss-first"] == pytest.approx(expected)
    assert "first run's statistics" in stored.protocol["batch_norm"]


def test_nothing_is_moved_and_reading_twice_gives_the_same():
    world = network()
    before = {name: {k: t.clone() for k, t in run.items()} for name, run in world.runs.items()}
    one, other = (world.read(PLANE, ["a", "b"], PlaneSettings(points=3)) for _ in range(2))
    assert (one.values, one.grids) == (other.values, other.grids)
    assert "restored" not in one.protocol
    for name, run in world.runs.items():
        assert all(torch.equal(before[name][part], run[part]) for part in run)
    assert one.protocol["access_by_split"]["ood-x"] == "ood-labels"


def test_a_diverged_run_spans_no_plane_and_raises_nothing():
    world = quadratic()
    world.runs["b"]["w"][0] = float("nan")
    reading = world.read(PLANE, ["a", "b"], PlaneSettings(points=2))
    assert reading.grids == ()
    found = values(reading)
    assert all(math.isnan(found[f"gain-{name}"]) for name in ("loss", "error"))
    assert all(math.isnan(found[name]) for name in found if name.startswith("best-"))


def test_the_work_is_what_the_card_says():
    cost = quadratic().read(PLANE, ["a", "b"], PlaneSettings(points=4)).cost
    assert cost.forward == 2 * 3 * (16 + 3)
