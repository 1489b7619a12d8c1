"""A way through few directions is found to be one, without a matrix of the parameters' size."""

import math

import pytest
import torch
from torch import nn

from harness.api.recipes import Optimizer
from harness.api.trajectories import TrainedPhase, TrainingFacts
from harness.testing.scenes import Known, World
from harness_landscape.subspace_dimension import SUBSPACE_DIMENSION, SubspaceDimensionSettings


class Vector(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))
        self.b = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def forward(self, x):
        return self.w.sum()


def read(points, diverged=None, **settings):
    """The metric on a way [k, P]; the first point is the start, the last the end."""
    names = ["init", *(f"checkpoint-{step}" for step in range(1, len(points) - 1)), "final"]
    noise = torch.Generator().manual_seed(5)
    runs = {
        "a" if name == "final" else f"a/{name}": {
            "w": point,
            "b": torch.randn(2, generator=noise, dtype=torch.float64) * ("group" in settings),
        }
        for name, point in zip(names, points, strict=False)
    }
    steps = max(1, len(points) - 1)
    phases = (TrainedPhase(Optimizer("sgd"), 4, (0.1,) * steps),)
    known = Known({"a": TrainingFacts(phases, 10, diverged)})
    data = torch.zeros(3, 1, dtype=torch.float64), torch.zeros(3)
    world = World(Vector(points.shape[1]), {"train": data}, runs, trainings=known)
    reading = world.read(SUBSPACE_DIMENSION, ["a"], SubspaceDimensionSettings(**settings))
    return {value.name: value.value for value in reading.values}, reading


def rotated(points, size=40):
    """The same way in some other directions of a larger space."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(size, size, dtype=torch.float64, generator=generator)
    return points @ torch.linalg.qr(noise)[0][: points.shape[1]] + 3.0


def test_a_straight_line_has_one_dimension():
    found, reading = read(rotated(torch.tensor([[0.0], [1.0], [1.5], [7.0]]).double()))
    for name in ("", "-from-start", "-steps"):
        assert found[f"participation-ratio{name}"] == pytest.approx(1.0)
        assert {found[f"components-{share}{name}"] for share in (50, 90, 95, 99)} == {1.0}
    assert found["points"] == 4
    assert reading.protocol["access"] == "train"


def test_a_circle_has_two():
    angle = torch.arange(12, dtype=torch.float64) * 2 * torch.pi / 12
    found, _ = read(rotated(torch.stack([angle.cos(), angle.sin()], 1)))
    assert found["participation-ratio"] == pytest.approx(2.0)
    assert (found["components-50"], found["components-90"]) == (1.0, 2.0)


@pytest.mark.parametrize("count", [3, 4, 9])
def test_steps_at_right_angles_have_the_spectrum_of_a_walk(count):
    steps = torch.eye(count - 1, dtype=torch.float64)
    walk = torch.cat([torch.zeros(1, count - 1, dtype=torch.float64), steps.cumsum(0)])
    found, reading = read(rotated(walk))
    assert found["participation-ratio-steps"] == pytest.approx(count - 1)
    assert found["components-99-steps"] == count - 1
    assert found["participation-ratio"] == pytest.approx(found["walk-participation-ratio"])
    assert found["components-90"] == found["walk-components-90"]
    centred = next(curve for curve in reading.curves if curve.name == "centred")
    place = torch.arange(1, count, dtype=torch.float64)
    exact = 1 / (4 * torch.sin(torch.pi * place / (2 * count)) ** 2)
    assert centred.y["variance"][: count - 1] == pytest.approx((exact / exact.sum()).tolist())


def test_it_is_the_pca_of_the_dense_covariance():
    generator = torch.Generator().manual_seed(3)
    points = torch.randn(7, 50, dtype=torch.float64, generator=generator)
    points = points * torch.linspace(0.1, 3, 50, dtype=torch.float64)
    found, reading = read(points)
    for name, rows in (("centred", points - points.mean(0)), ("from-start", points - points[0])):
        dense = torch.linalg.eigvalsh(rows.T @ rows).flip(0)[:7].clamp(min=0)
        curve = next(curve for curve in reading.curves if curve.name == name)
        shares = (dense / dense.sum()).tolist()
        assert curve.y["variance"] == pytest.approx(shares[: len(curve.x)], abs=1e-12)
        end = "" if name == "centred" else f"-{name}"
        ratio = dense.sum() ** 2 / dense.square().sum()
        assert found[f"participation-ratio{end}"] == pytest.approx(ratio.item())
        held = dense.cumsum(0) / dense.sum()
        assert found[f"components-90{end}"] == int((held < 0.9).sum()) + 1


def test_points_far_from_the_origin_lose_no_digits():
    way = torch.linspace(0, 1e-3, 5)[:, None].double()
    found, _ = read(rotated(way) + 1e4)
    assert found["participation-ratio"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_points_have_no_dimension(count):
    found, reading = read(torch.randn(count, 4, dtype=torch.float64)[-count:])
    assert math.isnan(found["participation-ratio"])
    assert math.isnan(found["components-90"])
    assert reading.protocol["too_few_points"]
    assert not reading.curves


def test_a_run_that_never_moved_has_none():
    found, _ = read(torch.ones(5, 4, dtype=torch.float64))
    assert math.isnan(found["participation-ratio"])
    assert math.isnan(found["components-90-steps"])


def test_the_end_of_a_run_that_diverged_is_left_out():
    way = torch.tensor([[0.0], [1.0], [2.0], [math.nan]], dtype=torch.float64)
    found, reading = read(way, diverged=3)
    assert found["points"] == 3
    assert found["participation-ratio"] == pytest.approx(1.0)
    assert reading.protocol["points"] == ["init", "checkpoint-1", "checkpoint-2"]


def test_a_group_of_parameters_goes_alone():
    line = torch.arange(6, dtype=torch.float64)[:, None]
    assert read(line, group="all")[0]["participation-ratio"] > 1.01
    with pytest.raises(Exception, match="nowhere"):
        read(line, group="nowhere")


def test_a_checkpoint_that_is_not_finite_leaves_no_numbers_and_no_exception():
    points = rotated(torch.randn(5, 3, generator=torch.Generator().manual_seed(0)).double())
    points[3] = math.nan
    found, _ = read(points)
    assert math.isnan(found["components-90"])
    assert math.isnan(found["participation-ratio-steps"])
    assert found["points"] == 5
