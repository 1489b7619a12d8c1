import pytest
import torch
from curved import bowl, dense_hessian, network, values

from harness.api.errors import HarnessError
from harness.testing.scenes import World
from harness_landscape.gradient_subspace import GRADIENT_SUBSPACE, GradientSubspaceSettings
from harness_landscape.hessian_top import HESSIAN_TOP, HessianTopSettings

SPECTRUM = [9.0, 7.0, 5.0, *[1 - n / 40 for n in range(17)]]


def read(world, run="0", shared=None, **settings):
    chosen = GradientSubspaceSettings(**settings)
    return world.read(GRADIENT_SUBSPACE, [run], chosen, shared=shared)


def at(world, *points):
    """The same loss, its runs where they are told to be."""
    runs = {str(run): {"w": point} for run, point in enumerate(points)}
    return World(world.module, world.splits, runs, world.objective)


def eigen(world):
    values, vectors = torch.linalg.eigh(world.module.matrix)
    return values.flip(0), vectors.flip(1)


def test_a_gradient_inside_the_subspace_has_overlap_one_and_one_across_it_zero():
    world = bowl(*SPECTRUM)
    _, vectors = eigen(world)
    inside, across = vectors[:, 0] + 2 * vectors[:, 2], vectors[:, 7]
    half = vectors[:, 0] / 9 + vectors[:, 3]  # both parts of the gradient are of size one
    here = at(world, inside, across, half)
    found = [values(read(here, run, k=3, tolerance=1e-6))["overlap"] for run in "012"]
    assert found == pytest.approx([1.0, 0.0, 0.5], abs=1e-6)


def test_a_random_gradient_overlaps_as_chance_says():
    world = bowl(*SPECTRUM)
    generator = torch.Generator().manual_seed(3)
    draws = torch.randn(100, 20, dtype=torch.float64, generator=generator)
    here = at(world, *torch.linalg.solve(world.module.matrix, draws.T).T)
    readings = [values(read(here, str(run), k=3)) for run in range(100)]
    found = torch.tensor([reading["overlap"] for reading in readings])
    assert readings[0]["chance"] == 3 / 20
    spread = (3 * 17 / (20**2 * 11)) ** 0.5  # Beta(3/2, 17/2)
    assert abs(found.mean() - 3 / 20) < 4 * spread / 10
    assert float(found.std()) == pytest.approx(spread, rel=0.3)


def test_gradient_descent_with_a_large_step_ends_in_the_top_direction():
    world = bowl(*SPECTRUM)
    w = world.runs["0"]["w"]
    for _ in range(60):
        w = w - 0.215 * world.module.matrix @ w
    assert values(read(at(world, w), k=1))["overlap"] == pytest.approx(1, abs=1e-3)


def test_a_network_has_the_overlap_of_its_dense_hessian():
    world = network()
    probe = world.probe("0")
    gradient = probe.gradient(probe.weights(), "train").double()
    vectors = torch.linalg.eigh(dense_hessian(world))[1].flip(1)[:, :10]
    exact = (vectors.T @ gradient).square().sum() / gradient.square().sum()
    reading = read(world)
    assert reading.converged
    assert values(reading)["k"] == 10  # as many as there are classes
    assert values(reading)["overlap"] == pytest.approx(float(exact), rel=1e-3)
    assert values(reading)["chance"] == pytest.approx(10 / 314)


def test_subspaces_of_two_points_are_compared():
    world = network()
    generator = torch.Generator().manual_seed(5)
    state = world.runs["0"]
    other = {n: torch.randn(t.shape, generator=generator) / 2 for n, t in state.items()}
    here = World(world.module, world.splits, {"0": state, "0/init": other, "0/checkpoint-3": state})
    found = values(read(here, against="init"))["subspace-overlap"]
    assert 0.01 < found < 0.9
    assert values(read(here, against="checkpoint-3"))["subspace-overlap"] == pytest.approx(1)
    assert "subspace-overlap" not in values(read(here))


def test_products_are_shared_with_the_eigenvalues():
    world = network()
    shared = world.shared()
    settings = HessianTopSettings(k=10, which="value", examples=1000)
    top = world.read(HESSIAN_TOP, ["0"], settings, shared)
    reading = read(world, shared=shared)
    assert top.protocol["hessian_products"] > 10
    assert reading.protocol["hessian_products"] == 0
    assert values(reading) == values(read(world))


def test_a_scaled_loss_has_the_same_overlap():
    one, thousand = (bowl(*[s * x for x in SPECTRUM]) for s in (1.0, 1000.0))
    left, right = (values(read(world, k=3, tolerance=1e-6)) for world in (one, thousand))
    assert left["overlap"] == pytest.approx(right["overlap"], rel=1e-6)


def test_a_minimum_has_no_direction_and_a_diverged_run_no_numbers():
    flat = values(read(at(bowl(*SPECTRUM), torch.zeros(20).double()), k=2))
    assert flat["overlap"] != flat["overlap"]
    world = network(count=20)
    world.runs["0"]["one.weight"].fill_(float("nan"))
    reading = read(world)
    assert values(reading)["overlap"] != values(reading)["overlap"]
    assert not reading.converged


def test_it_reads_training_data_and_refuses_ood():
    world = network(count=20)
    assert read(world).protocol["access"] == "train"
    with pytest.raises(HarnessError, match="ood-far"):
        read(world, split="ood-far")


def test_fewer_products_than_eigenvectors_are_compared_with_the_chance_of_as_many():
    reading = read(network(), k=10, products=3)
    assert not reading.converged
    found = values(reading)
    assert found["k"] == 3
    assert found["chance"] == 3 / 314
