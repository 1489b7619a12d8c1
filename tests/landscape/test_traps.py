"""Cases in which a plausible estimate goes wrong without a word."""

import math

import pytest
import torch
from curved import bowl, dense_hessian, network, values
from torch import nn
from torch.nn import functional

from harness.measure.scene import Objective
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.barrier import BARRIER, BarrierSettings
from harness_landscape.convexity_gap import CONVEXITY_GAP
from harness_landscape.fisher import FISHER
from harness_landscape.hessian_top import HESSIAN_TOP, HessianTopSettings
from harness_landscape.hessian_trace import HESSIAN_TRACE, HessianTraceSettings
from harness_landscape.plane import PLANE, PlaneSettings


class Curve(nn.Module):
    """A loss that is a function of the weights alone."""

    def __init__(self, loss, size):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))
        self.loss = loss

    def forward(self, x):
        return self.loss(self.w)


def along(loss, *points):
    """Runs "a", "b" at these points, and where they started if there is a third."""
    names = ("a", "b", "a/init")
    runs = {
        name: {"w": torch.tensor(point, dtype=torch.float64).reshape(-1)}
        for name, point in zip(names, points, strict=False)
    }
    data = torch.zeros(2, 1).double(), torch.zeros(2).double()
    module = Curve(loss, len(runs["a"]["w"]))
    return World(module, {"train": data, "test": data}, runs, LOSS_ITSELF)


def hole(w):
    """A bowl that is not a number within a disc beside its middle, where its lowest points are."""
    inside = (w[0] - 0.5).square() + w[1:].square().sum() < 0.045
    return torch.where(inside, torch.nan, (w - 0.5).square().sum())


def test_a_hole_in_the_loss_is_no_minimum_and_its_edge_stays_as_it_is():
    world = along(hole, [0.0, 0.0], [1.0, 0.0], [0.5, 1.0])
    grid = world.read(PLANE, ["a", "b"], PlaneSettings(points=11)).grids[0]
    found = torch.tensor(grid.z["loss"], dtype=torch.float64)
    start, end = (world.runs[name]["w"] for name in ("a/init", "a"))
    across = (end - start) / (end - start).norm()
    up = torch.tensor([-across[1], across[0]])
    up = up if float((world.runs["b"]["w"] - start) @ up) > 0 else -up
    exact = torch.stack(
        [torch.stack([hole(start + x * across + y * up).detach() for x in grid.x]) for y in grid.y]
    )
    assert bool(exact.isnan().any())
    assert bool(exact.isfinite().any())
    torch.testing.assert_close(found, exact, equal_nan=True)


def test_a_line_through_a_hole_has_no_barrier_instead_of_a_low_one():
    world = along(hole, [0.0, 0.0], [1.0, 0.0])
    reading = world.read(BARRIER, ["a", "b"])
    assert math.isnan(values(reading)["lerp-loss"])
    assert math.isnan(values(world.read(CONVEXITY_GAP, ["a", "b"]))["gap-loss"])
    assert sum(math.isnan(loss) for loss in reading.curves[0].y["loss"]) == 5


def test_a_narrow_barrier_is_found_by_points_close_enough_and_never_lost_by_more():
    world = along(lambda w: torch.exp(-((w - 0.55) ** 2).sum() / 2e-4), 0.0, 1.0)
    heights = [
        values(world.read(BARRIER, ["a", "b"], BarrierSettings(points=points)))["lerp-loss"]
        for points in (11, 21, 41)
    ]
    assert heights[0] < 0.01
    assert heights[1] == pytest.approx(1)
    assert heights == sorted(heights)


class Margins(nn.Module):
    """Sure and partly wrong at either end; unsure and wrong about everything between."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x):
        middle = 4 * self.w * (1 - self.w)
        margin = (1 - middle) * x[:, 0] - 0.1 * middle
        return torch.stack([margin, torch.zeros_like(margin)], 1)


def test_where_averaging_only_makes_answers_unsure_the_loss_has_no_barrier_but_the_error_has():
    margins = torch.tensor([20.0] * 7 + [-20.0] * 3).double()[:, None]
    data = margins, torch.zeros(10).long()
    runs = {name: {"w": torch.tensor([end]).double()} for name, end in (("a", 0.0), ("b", 1.0))}
    world = World(Margins(), {"train": data, "test": data, "ood-far": data}, runs)
    reading = world.read(BARRIER, ["a", "b"])
    for split in ("test", "ood-far"):
        found = {value.name: value.value for value in reading.values if value.split == split}
        assert found["lerp-loss"] == 0.0
        assert found["lerp-error"] == pytest.approx(0.7)


@pytest.mark.parametrize("k", [1, 2])
def test_few_eigenvalues_are_as_exact_as_many(k):
    spectrum = [10.0, 8.0, 6.0, 5.0, *[n / 20 for n in range(56)]]
    reading = bowl(*spectrum).read(HESSIAN_TOP, ["0"], HessianTopSettings(k=k))
    assert reading.converged
    found = [values(reading)[f"eigenvalue-{n}"] for n in range(1, k + 1)]
    assert found == pytest.approx(spectrum[:k], rel=1e-5)


def test_gradients_that_lie_on_the_model_are_no_part_of_what_is_read():
    clean, used = network(count=30), network(count=30)
    x, y = used.splits["train"]
    for _ in range(2):
        functional.cross_entropy(used.module(x), y).backward()
    kept = used.module.one.weight.grad.clone()
    for metric in (HESSIAN_TOP, HESSIAN_TRACE, FISHER):
        assert used.read(metric, ["0"]).values == clean.read(metric, ["0"]).values
    assert torch.equal(used.module.one.weight.grad, kept)
    assert used.module.training == clean.module.training


def test_a_hessian_may_bend_down_and_gauss_newton_and_fisher_matrices_do_not():
    world = network()
    assert float(torch.linalg.eigvalsh(dense_hessian(world))[0]) < -0.01
    probe = world.probe("0")
    for kind in ("true", "ggn", "empirical"):
        product = probe.fisher_product(probe.weights(), "train", kind=kind)
        matrix = product(torch.eye(314)).double()
        torch.testing.assert_close(matrix, matrix.T)
        assert float(torch.linalg.eigvalsh(matrix)[0]) > -1e-5


def test_a_low_rank_is_summed_exactly_by_a_sketch_that_holds_it():
    world = bowl(7.0, -3.0, 1.0, *[0.0] * 57)
    reading = world.read(HESSIAN_TRACE, ["0"], HessianTraceSettings(sketch=6))
    assert values(reading)["trace"] == pytest.approx(5, abs=1e-9)
    assert values(reading)["samples"] == 8
    assert reading.converged


def test_regression_with_independent_noise_has_gradients_as_spread_as_its_inputs():
    squares = Objective(lambda out, y: (out[:, 0] - y) ** 2, lambda out, y: torch.zeros_like(y))
    x = torch.cat([torch.eye(4), -torch.eye(4), torch.eye(4), -torch.eye(4)]).double()
    w = torch.tensor([1.0, -2.0, 0.5, 3.0]).double()
    y = x @ w + 0.3 * torch.tensor([1.0] * 8 + [-1.0] * 8).double()
    module = nn.Module()
    module.layer = nn.Linear(4, 1, bias=False).double()
    module.forward = lambda x: module.layer(x)
    world = World(module, {"train": (x, y)}, {"a": {"layer.weight": w[None]}}, squares)
    probe = world.probe("a")
    rows = torch.cat(list(probe.example_gradients(probe.weights(), "train")))
    assert float(rows.mean(0).abs().max()) < 1e-12
    # gradient i is 2 r_i x_i, so that C = 4 sigma^2 E[x x'] = 4 x 0.09 / 4 on every axis
    top = probe.krylov(probe.weights(), "train", matrix="covariance").top(
        1, by="value", tolerance=1e-6, products=10
    )
    assert float(top.values[0]) == pytest.approx(0.09)
    assert float(rows.square().sum(1).mean()) == pytest.approx(0.36)
