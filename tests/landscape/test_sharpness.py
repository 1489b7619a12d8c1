import itertools
import math

import pytest
import torch
from torch import nn

from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.sharpness import SHARPNESS, SharpnessSettings
from harness_landscape.sharpness_search import Ball, Place, ascend


class Quadratic(nn.Module):
    """g'w + w'Hw / 2 for every example, plus x'w: examples differ by a linear term."""

    def __init__(self, matrix, slope):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(len(slope), dtype=slope.dtype))
        self.matrix, self.slope = matrix, slope

    def forward(self, x):
        return self.slope @ self.w + self.w @ self.matrix @ self.w / 2 + x @ self.w


def world(matrix, slope, start, inputs=None):
    inputs = torch.zeros(4, len(slope), dtype=slope.dtype) if inputs is None else inputs
    data = inputs, torch.zeros(len(inputs), dtype=slope.dtype)
    runs = {"a": {"w": start}}
    return World(
        Quadratic(matrix, slope), {"train": data, "test": data, "ood": data}, runs, LOSS_ITSELF
    )


def problem(size=30, seed=0):
    """A random indefinite quadratic: matrix, slope and a point that is no minimum."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(size, size, generator=generator, dtype=torch.float64)
    vectors = torch.randn(2, size, generator=generator, dtype=torch.float64)
    return (noise + noise.T) / 2, vectors[0], vectors[1] / 3


def bowl(size=20):
    matrix = problem(size)[0]
    return matrix @ matrix / size


def read(scene, *variants, radii=(0.5,), **settings):
    chosen = SharpnessSettings(variants=variants, radii=dict.fromkeys(variants, radii), **settings)
    return scene.read(SHARPNESS, ["a"], chosen)


def values(reading):
    return {value.name: value.value for value in reading.values}


def errors(reading):
    return {value.name: value.standard_error for value in reading.values}


def trust_region(matrix, slope, radius):
    """Exact max of g'd + d'Hd / 2 over ||d|| <= radius, through the secular equation."""
    eigenvalues, basis = torch.linalg.eigh(matrix)
    along = basis.T @ slope
    low = max(float(eigenvalues[-1]), 0.0)
    if float(eigenvalues[-1]) < 0 and float((along / eigenvalues).norm()) <= radius:
        return float(-(along**2 / eigenvalues).sum() / 2)
    high = low + float(along.norm()) / radius
    for _ in range(200):
        middle = (low + high) / 2
        longer = float((along / (middle - eigenvalues)).norm()) > radius
        low, high = (middle, high) if longer else (low, middle)
    step = along / (high - eigenvalues)
    return float(along @ step + (eigenvalues * step**2).sum() / 2)


def test_the_exact_twin_agrees_with_the_best_of_many_directions():
    matrix, slope, _ = problem(3)
    exact = trust_region(matrix, slope, 0.7)
    generator = torch.Generator().manual_seed(3)
    ball = torch.randn(200_000, 3, generator=generator, dtype=torch.float64)
    ball = 0.7 * ball / ball.norm(dim=1, keepdim=True)
    found = float((ball @ slope + ((ball @ matrix) * ball).sum(1) / 2).max())
    assert found <= exact
    assert found == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("radius", [0.25, 1.0, 2.0])
@pytest.mark.parametrize("size", [2, 200])
def test_the_worst_case_of_a_quadratic_is_that_of_its_trust_region(size, radius):
    matrix, slope, start = problem(size)
    exact = trust_region(matrix, slope + matrix @ start, radius)
    scene = world(matrix, slope, start)
    usual = values(read(scene, "worst-l2", radii=(radius,)))[f"worst-l2-{radius:g}"]
    patient = read(scene, "worst-l2", radii=(radius,), iterations=150)
    assert 0.97 * exact <= usual <= exact * (1 + 1e-9)
    assert 0.9995 * exact <= values(patient)[f"worst-l2-{radius:g}"] <= exact * (1 + 1e-9)


def test_the_worst_case_at_a_minimum_is_half_rho_squared_times_the_top_eigenvalue():
    matrix = bowl()
    scene = world(matrix, torch.zeros(20).double(), torch.zeros(20).double())
    top = float(torch.linalg.eigvalsh(matrix)[-1])
    found = values(read(scene, "worst-l2", radii=(0.25, 0.5, 1.0), iterations=100))
    for radius in (0.25, 0.5, 1.0):
        assert found[f"worst-l2-{radius:g}"] == pytest.approx(radius**2 * top / 2, rel=1e-4)


def test_the_adaptive_worst_case_at_a_minimum_has_the_eigenvalue_of_the_scaled_hessian():
    matrix, start = bowl(), problem(20)[2]
    scene = world(matrix, -matrix @ start, start)  # its minimum lies at the start
    scaled = start.abs()[:, None] * matrix * start.abs()
    top = float(torch.linalg.eigvalsh(scaled)[-1])
    found = values(read(scene, "worst-l2-adaptive", iterations=100))
    assert found["worst-l2-adaptive-0.5"] == pytest.approx(0.125 * top, rel=1e-4)


def test_linear_losses_rise_by_the_dual_norm_of_the_slope_and_not_on_average():
    _, slope, start = problem()
    scene = world(torch.zeros(30, 30).double(), slope, start)
    found = values(
        read(
            scene,
            "worst-l2",
            "worst-linf",
            "worst-l2-adaptive",
            "worst-linf-adaptive",
            "average",
            "average-adaptive",
        )
    )
    scaled = (start * slope).abs()
    assert found["worst-l2-0.5"] == pytest.approx(0.5 * float(slope.norm()))
    assert found["worst-linf-0.5"] == pytest.approx(0.5 * float(slope.abs().sum()))
    assert found["worst-l2-adaptive-0.5"] == pytest.approx(0.5 * float(scaled.norm()))
    assert found["worst-linf-adaptive-0.5"] == pytest.approx(0.5 * float(scaled.sum()))
    assert found["average-0.5"] == pytest.approx(0, abs=1e-12)
    assert found["average-adaptive-0.5"] == pytest.approx(0, abs=1e-12)


def test_the_worst_corner_of_a_box_is_found():
    matrix = bowl(10)
    slope = problem(10)[1] / 10
    scene = world(matrix, slope, torch.zeros(10).double())
    corners = torch.tensor(list(itertools.product([-0.5, 0.5], repeat=10))).double()
    exact = float((corners @ slope + ((corners @ matrix) * corners).sum(1) / 2).max())
    found = values(read(scene, "worst-linf"))["worst-linf-0.5"]
    assert 0.9 * exact <= found <= exact * (1 + 1e-9)


def test_averages_are_half_the_trace_without_bias_and_their_standard_error_is_honest():
    matrix, slope, start = problem(12)
    scene = world(matrix, slope, start)
    runs = {f"r{number}": {"w": start} for number in range(60)}  # each has a stream of its own
    many = World(scene.module, scene.splits, runs, LOSS_ITSELF)
    scales = {"average": torch.ones(12), "average-adaptive": start.abs()}
    settings = SharpnessSettings(
        variants=tuple(scales), radii=dict.fromkeys(scales, (0.5,)), draws=12
    )
    readings = [many.read(SHARPNESS, [key], settings) for key in runs]
    for name, scale in scales.items():
        exact = 0.5 * 0.25 * float((scale**2 * matrix.diagonal()).sum())
        found = torch.tensor([values(reading)[f"{name}-0.5"] for reading in readings])
        stated = torch.tensor([errors(reading)[f"{name}-0.5"] for reading in readings])
        assert abs(float(found.mean()) - exact) < 4 * float(found.std()) / len(found) ** 0.5
        assert float(stated.square().mean().sqrt()) == pytest.approx(float(found.std()), rel=0.3)


def test_the_standard_error_over_batches_agrees_with_the_spread_over_training_sets():
    found, stated = [], []
    for number in range(40):
        generator = torch.Generator().manual_seed(number)
        inputs = torch.randn(128, 3, generator=generator, dtype=torch.float64)
        scene = world(torch.zeros(3, 3).double(), torch.zeros(3).double(), torch.ones(3), inputs)
        scene.runs["a"]["w"] = torch.ones(3).double()
        reading = read(scene, "worst-l2", batch=16, iterations=1)
        found.append(reading.values[0].value)
        stated.append(reading.values[0].standard_error)
    spread = float(torch.tensor(found).std())
    assert float(torch.tensor(stated).mean()) == pytest.approx(spread, rel=0.35)


def test_smaller_batches_have_a_higher_worst_case_and_one_batch_has_no_spread():
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(100, 3, generator=generator, dtype=torch.float64)
    scene = world(torch.zeros(3, 3).double(), torch.zeros(3).double(), torch.ones(3), inputs)
    scene.runs["a"]["w"] = torch.ones(3).double()
    sizes = (4, 30, None)
    readings = [read(scene, "worst-l2", batch=size, examples=None) for size in sizes]
    found = [values(reading)["worst-l2-0.5"] for reading in readings]
    assert found[-1] == pytest.approx(0.5 * float(inputs.mean(0).norm()))
    assert found == sorted(found, reverse=True)
    assert errors(readings[-1])["worst-l2-0.5"] is None
    assert errors(readings[1])["worst-l2-0.5"] > 0


def test_the_short_last_batch_weighs_by_its_examples():
    inputs = torch.tensor([[1.0], [1.0], [1.0], [5.0]]).double()
    scene = world(torch.zeros(1, 1).double(), torch.zeros(1).double(), torch.ones(1), inputs)
    scene.runs["a"]["w"] = torch.ones(1).double()
    found = values(read(scene, "worst-l2", batch=3, examples=None))["worst-l2-0.5"]
    assert found == pytest.approx(0.5 * float(inputs.mean()))


class Product(nn.Module):
    """A loss of u v alone: (u, v) and (c u, v / c) are the same function."""

    def __init__(self):
        super().__init__()
        self.u = nn.Parameter(torch.zeros(5, dtype=torch.float64))
        self.v = nn.Parameter(torch.zeros(5, dtype=torch.float64))

    def forward(self, x):
        return ((x * self.u * self.v).sum(1) - 1) ** 2


def rescaled(factor):
    generator = torch.Generator().manual_seed(5)
    x, u, v = (torch.randn(n, 5, generator=generator).double() for n in (64, 1, 1))
    data = x, torch.zeros(64).double()
    run = {"u": u[0] * factor, "v": v[0] / factor}
    return World(Product(), {"train": data}, {"a": run}, LOSS_ITSELF)


def test_adaptive_sharpness_forgets_rescaling_and_plain_sharpness_does_not():
    plain = ("worst-l2", "worst-linf", "average")
    adaptive = ("worst-l2-adaptive", "worst-linf-adaptive", "average-adaptive")
    radii, size = (0.1, 0.3), {"batch": 16, "draws": 4}
    one, other = (read(rescaled(c), *plain, *adaptive, radii=radii, **size) for c in (1.0, 7.0))
    before, after = values(one), values(other)
    for name in before:
        if "adaptive" in name:
            assert after[name] == pytest.approx(before[name], rel=1e-6), name
        else:
            assert abs(after[name] / before[name] - 1) > 0.1, name
    shifted = read(rescaled(7.0), "worst-l2-adaptive", radii=radii, eta=0.5, batch=16)
    assert abs(values(shifted)["worst-l2-adaptive-0.3"] / before["worst-l2-adaptive-0.3"] - 1) > 0.1


def test_keskars_box_reaches_as_far_from_a_negative_weight_as_from_a_positive_one():
    start = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]).double()
    slope = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0]).double()
    scene = world(torch.zeros(5, 5).double(), slope, start)
    reading = read(scene, "keskar", radii=(0.5,))
    loss = float(slope @ start)
    exact = 100 * float((0.5 * (start.abs() + 1)).sum()) / (1 + loss)
    assert values(reading)["keskar-0.5"] == pytest.approx(exact)
    assert errors(reading)["keskar-0.5"] is None  # one box for the whole sample


def test_a_search_that_oversteps_takes_smaller_steps():
    def height(u):
        return -float((u - 0.3).square().sum()), -2 * (u - 0.3)

    start = Place(torch.zeros(3), *height(torch.zeros(3)))
    for norm in ("l2", "linf"):
        assert ascend(height, start, Ball(norm, 1.0), 40).loss > -1e-3
    assert ascend(height, start, Ball("l2", 0.1), 40).loss == pytest.approx(
        -((0.3 * 3**0.5 - 0.1) ** 2), rel=1e-4
    )


def test_what_a_small_ball_holds_a_large_one_holds_too():
    class Bump(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))

        def forward(self, x):
            return torch.exp(-((self.w - 0.2) ** 2).sum() / 0.02)

    data = torch.zeros(2, 1).double(), torch.zeros(2).double()
    scene = World(Bump(), {"train": data}, {"a": {"w": torch.zeros(1).double()}}, LOSS_ITSELF)
    found = values(read(scene, "worst-l2", radii=(0.2, 1e6)))
    assert found["worst-l2-0.2"] == pytest.approx(1 - math.exp(-2))
    assert found["worst-l2-1e+06"] >= found["worst-l2-0.2"]
