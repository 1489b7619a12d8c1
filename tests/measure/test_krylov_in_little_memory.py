"""Krylov spaces whose vectors do not all fit: eigenvalues by restarts, densities all the same."""

import pytest
import torch
from torch import nn

from harness.compute.streams import stream
from harness.measure.krylov import KrylovSpace
from harness.measure.runs import Runs
from harness.measure.scene import Budget
from harness.testing.scenes import World

SIZE = 1200
BULK = torch.linspace(-1, 1, SIZE - 8, dtype=torch.float64)
OUTLIERS = torch.tensor([40.0, 22.0, 15.0, 11.0, 8.0, -9.0, 6.0, 5.0], dtype=torch.float64)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(20, 16), nn.Linear(16, 3)

    def forward(self, x):
        return self.last(torch.tanh(self.first(x)))


def rotated(values):
    """An operator with these eigenvalues: three reflections of a diagonal, applied one by one."""
    generator = torch.Generator().manual_seed(3)
    normals = torch.randn(3, len(values), generator=generator, dtype=torch.float64)
    normals = normals / normals.norm(dim=1, keepdim=True)

    def turned(v, order):
        for normal in order:
            v = v - 2 * (normal @ v) * normal
        return v

    return lambda v: turned(values * turned(v, normals), normals.flip(0))


def space(product, room, size=SIZE, dtype=torch.float64, seed=0):
    return KrylovSpace(
        lambda v: product(v.double()).to(dtype), size, stream(seed, "few"), dtype=dtype, room=room
    )


def top(krylov, count=5, by="magnitude", tolerance=1e-6, products=400):
    return krylov.top(count, by=by, tolerance=tolerance, products=products)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("room", [3, 6, 12])
def test_restarts_find_what_a_dense_solver_finds_within_their_memory(room, dtype):
    values = torch.cat([OUTLIERS, BULK])
    product = rotated(values)
    krylov = space(product, room, dtype=dtype)
    found = top(krylov, tolerance=1e-4)
    exact = values[values.abs().argsort(descending=True)][:5]
    assert found.converged
    assert krylov.products == room - 1 < found.products
    torch.testing.assert_close(found.values, exact, rtol=1e-5, atol=0)
    vectors = room + max(room, 5 + 4) + 2
    assert krylov.bytes <= vectors * SIZE * 8


@pytest.mark.parametrize("by", ["magnitude", "value"])
def test_residuals_after_restarts_are_the_true_ones(by):
    values = torch.cat([OUTLIERS, BULK])
    product = rotated(values)
    krylov = space(product, 6)
    found = top(krylov, by=by)
    vectors = krylov.directions(5, by=by, tolerance=1e-6, products=400)
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(5).double(), atol=1e-10, rtol=0)
    for vector, value, residual in zip(vectors, found.values, found.residuals, strict=True):
        true = (product(vector) - value * vector).norm() / abs(value)
        assert float(true) <= 1.01e-6
        assert float(residual) == pytest.approx(float(true), rel=0.05, abs=1e-12)


def test_too_few_products_say_that_they_did_not_converge_and_stop_there():
    values = torch.cat([OUTLIERS, BULK])
    paid = []
    product = rotated(values)
    krylov = space(lambda v: (paid.append(1), product(v))[1], 5)
    found = top(krylov, products=12, tolerance=1e-8)
    assert not found.converged
    assert len(paid) == found.products == 12
    assert top(krylov, products=12, tolerance=1e-8).products == 12
    assert len(paid) == 12


def test_what_is_read_in_little_memory_does_not_depend_on_what_others_asked_before():
    values = torch.cat([OUTLIERS, BULK])
    product = rotated(values)
    fresh = top(space(product, 6))
    used = space(product, 6)
    used.first(50)
    top(used, count=2, by="value")
    again = top(used)
    assert again.values.tolist() == fresh.values.tolist()
    assert again.residuals.tolist() == fresh.residuals.tolist()


@pytest.mark.parametrize("values", [[0.0] * 40, [2.0] * 40, [7.0] * 3 + [0.0] * 37])
def test_spaces_that_close_early_still_find_copies_in_little_memory(values):
    values = torch.tensor(values, dtype=torch.float64)
    found = top(space(rotated(values), 3, size=40), count=5)
    assert found.converged
    exact = values.sort(descending=True).values[:5]
    torch.testing.assert_close(found.values, exact, rtol=1e-8, atol=1e-10)


def test_a_matrix_hardly_larger_than_the_memory_is_known_exactly():
    values = torch.arange(1.0, 9.0, dtype=torch.float64)
    found = top(space(rotated(values), 3, size=8), count=8, tolerance=1e-9)
    assert found.converged
    torch.testing.assert_close(found.values, values.flip(0), rtol=1e-9, atol=0)


def test_an_operator_that_turns_infinite_after_the_memory_is_full_gives_no_numbers():
    calls = []

    def product(v):
        calls.append(1)
        return rotated(torch.cat([OUTLIERS, BULK]))(v) * (1.0 if len(calls) < 8 else float("nan"))

    krylov = space(product, 5)
    found = top(krylov)
    assert not found.converged
    assert bool(found.values.isnan().all())


def test_densities_and_traces_need_no_basis():
    values = torch.cat([OUTLIERS, BULK])
    product = rotated(values)

    def of(room):
        def begin(run):
            return KrylovSpace(product, SIZE, stream(run, "few"), room=room)

        return Runs(begin(0), begin)

    few, many = of(3), of(None)
    for run in (0, 1):
        nodes, weights = few.density(40, run)
        exact_nodes, exact = many.density(40, run)
        for power in range(1, 6):
            assert float((weights * nodes**power).sum()) == pytest.approx(
                float((exact * exact_nodes**power).sum()), rel=1e-8
            )
        sharp = [((w * (n > 3)).sum()) for n, w in ((nodes, weights), (exact_nodes, exact))]
        assert float(sharp[0]) == pytest.approx(float(sharp[1]), rel=1e-6)
    assert few.main.bytes <= 5 * SIZE * 8
    torch.testing.assert_close(few.trace_samples(6, 0), many.trace_samples(6, 0))
    clipped = few.trace_samples(40, 30)  # a sketch of two products: what there is room for
    torch.testing.assert_close(clipped, of(None).trace_samples(40, 2))
    error = float(clipped.std()) / 40**0.5
    assert abs(float(clipped.mean()) - float(values.sum())) < 4 * error


def test_the_budget_bounds_the_basis_of_a_probe():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(64, 20, generator=generator), torch.arange(64) % 3
    module = Net()
    weights = {
        name: torch.randn(tensor.shape, generator=generator) * 0.3
        for name, tensor in module.state_dict().items()
    }
    size = sum(tensor.numel() for tensor in weights.values())
    data = {"train": (x, y), "test": (x, y)}
    budget = Budget(basis=8 * 8 * size)
    world = World(module, data, {"r": weights}, budget=budget)
    probe = world.probe("r")
    krylov = probe.krylov(probe.weights(), "train")
    found = krylov.top(2, by="value", tolerance=1e-3, products=200)
    plenty = World(module, data, {"r": weights}).probe("r")
    exact = plenty.krylov(plenty.weights(), "train").top(
        2, by="value", tolerance=1e-5, products=400
    )
    assert found.converged
    assert found.products > exact.products / 4
    torch.testing.assert_close(found.values, exact.values, rtol=1e-4, atol=0)
    assert krylov.shared.runs.main.bytes <= budget.basis + 4 * 8 * size


def test_what_is_done_to_an_answer_does_not_change_the_next_one():
    krylov = space(rotated(torch.cat([OUTLIERS, BULK])), 6)
    first = top(krylov)
    exact = first.values.tolist()
    first.values.zero_()
    assert top(krylov).values.tolist() == exact
