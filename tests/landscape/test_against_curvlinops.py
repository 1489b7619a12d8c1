"""Where curvlinops is right, so must we be: the same numbers from another implementation."""

import warnings

import pytest
import scipy
import torch
from curved import Net, errors, network, values
from torch import nn

from harness.measure.scene import Budget
from harness.testing.scenes import World
from harness_landscape.fisher import FISHER
from harness_landscape.gradient_subspace import GRADIENT_SUBSPACE, GradientSubspaceSettings
from harness_landscape.hessian_density import HESSIAN_DENSITY, HessianDensitySettings
from harness_landscape.hessian_top import HESSIAN_TOP, HessianTopSettings
from harness_landscape.hessian_trace import HESSIAN_TRACE, HessianTraceSettings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    curvlinops = pytest.importorskip("curvlinops", reason="pip install -r tests/peers.txt")

pytestmark = pytest.mark.filterwarnings("ignore")


def double(budget=None):
    """The network of 314 parameters in double precision, on 90 examples."""
    single = network()
    splits = {name: (x.double(), y) for name, (x, y) in single.splits.items()}
    runs = {key: {n: t.double() for n, t in run.items()} for key, run in single.runs.items()}
    return World(Net().double(), splits, runs, budget=budget or Budget())


def theirs(world, kind):
    """Their operator of that kind, over batches of 32, 32 and 26 examples."""
    net = Net().double()
    net.load_state_dict(world.runs["0"])
    data = list(zip(*(part.split(32) for part in world.splits["train"]), strict=True))
    return getattr(curvlinops, kind)(net, nn.CrossEntropyLoss(), list(net.parameters()), data)


def dense(operator):
    return operator @ torch.eye(operator.shape[0], dtype=torch.float64)


@pytest.mark.parametrize("budget", [Budget(), Budget(batch=8000, graph=0)])
def test_hessian_products_are_theirs(budget):
    world = double(budget)
    probe = world.probe("0")
    block = torch.randn(3, 314, generator=torch.Generator().manual_seed(1)).double()
    ours = probe.hessian_product(probe.weights(), "train")(block)
    torch.testing.assert_close(ours, (theirs(world, "HessianLinearOperator") @ block.T).T)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("true", "GGNLinearOperator"),
        ("ggn", "GGNLinearOperator"),
        ("empirical", "EFLinearOperator"),
    ],
)
def test_fisher_and_gauss_newton_products_are_theirs(kind, name):
    world = double()
    probe = world.probe("0")
    block = torch.randn(3, 314, generator=torch.Generator().manual_seed(1)).double()
    ours = probe.fisher_product(probe.weights(), "train", kind=kind)(block)
    torch.testing.assert_close(ours, (theirs(world, name) @ block.T).T)


@pytest.mark.parametrize(("which", "word"), [("magnitude", "LM"), ("value", "LA")])
def test_top_eigenvalues_are_those_of_arpack_on_their_operator(which, word):
    world = double()
    operator = theirs(world, "HessianLinearOperator").to_scipy()
    found = scipy.sparse.linalg.eigsh(operator, k=5, which=word, return_eigenvectors=False)
    expected = sorted(found, key=abs if which == "magnitude" else None, reverse=True)
    ours = values(world.read(HESSIAN_TOP, ["0"], HessianTopSettings(which=which)))
    assert [ours[f"eigenvalue-{n}"] for n in range(1, 6)] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("estimator", ["hutchinson", "hutch++"])
def test_the_trace_agrees_with_theirs(estimator):
    world = double()
    operator = theirs(world, "HessianLinearOperator")
    exact = float(dense(operator).trace())
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        estimate = float(curvlinops.xtrace(operator, 200))
    reading = world.read(HESSIAN_TRACE, ["0"], HessianTraceSettings(estimator=estimator, most=2000))
    trace, error = values(reading)["trace"], errors(reading)["trace"]
    assert abs(trace - exact) < 4 * error
    assert abs(trace - estimate) < 4 * error + 0.01 * exact


def test_the_density_has_the_mass_of_theirs_on_both_sides_of_the_bulk():
    world = double()
    operator = theirs(world, "HessianLinearOperator")
    edges = tuple(float(e) for e in torch.linalg.eigvalsh(dense(operator))[[0, -1]])
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        grid, heights = curvlinops.lanczos_approximate_spectrum(
            operator, 40, num_points=2000, num_repeats=6, boundaries=edges, margin=0.1
        )
    curve = world.read(HESSIAN_DENSITY, ["0"], HessianDensitySettings(runs=20, steps=40)).curves[0]
    step = float(grid[1] - grid[0])
    width = curve.x[1] - curve.x[0]
    for low, high in [(-9.0, -0.1), (-0.1, 0.1), (0.1, 9.0)]:
        ours = sum(
            y * width for x, y in zip(curve.x, curve.y["density"], strict=True) if low < x <= high
        )
        them = float(heights[(grid > low) & (grid <= high)].sum()) * step
        assert ours == pytest.approx(them, abs=0.08), (low, high)


def test_the_traces_of_both_fisher_matrices_are_theirs():
    world = double()
    ours = values(world.read(FISHER, ["0"]))
    for name, kind in (("true", "GGNLinearOperator"), ("empirical", "EFLinearOperator")):
        exact = float(dense(theirs(world, kind)).trace())
        assert ours[f"{name}-trace"] == pytest.approx(exact)


def test_the_share_of_the_gradient_in_the_top_space_is_that_of_their_eigenvectors():
    world = double()
    vectors = torch.linalg.eigh(dense(theirs(world, "HessianLinearOperator")))[1]
    probe = world.probe("0")
    gradient = probe.gradient(probe.weights(), "train")
    share = (vectors[:, -10:].T @ gradient).square().sum() / gradient.square().sum()
    exactly = GradientSubspaceSettings(tolerance=1e-6)
    reading = world.read(GRADIENT_SUBSPACE, ["0"], exactly)
    assert values(reading)["overlap"] == pytest.approx(float(share))
