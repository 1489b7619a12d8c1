"""Where pyhessian is right, so must we be: isolated eigenvalues, many probes, one object a model.

Its `density` fails on current versions of torch (`torch.eig` is gone), so ours is not compared.
"""

import pytest
import torch
from curved import Net, errors, network, values
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from harness.testing.scenes import World
from harness_landscape.hessian_top import HESSIAN_TOP, HessianTopSettings
from harness_landscape.hessian_trace import HESSIAN_TRACE, HessianTraceSettings

pyhessian = pytest.importorskip("pyhessian", reason="pip install -r tests/peers.txt")

# It builds its graph with backward(create_graph=True), which warns of a leak.
pytestmark = pytest.mark.filterwarnings("ignore")


def double():
    """The network of 314 parameters in double precision, on 90 examples."""
    single = network()
    splits = {name: (x.double(), y) for name, (x, y) in single.splits.items()}
    runs = {key: {n: t.double() for n, t in run.items()} for key, run in single.runs.items()}
    return World(Net().double(), splits, runs)


def theirs(world, loader):
    """Their object on all examples: in one batch, or in batches of 32, 32 and 26."""
    net = Net().double()
    net.load_state_dict(world.runs["0"])
    x, y = world.splits["train"]
    data = {"dataloader": DataLoader(TensorDataset(x, y), 32)} if loader else {"data": (x, y)}
    return pyhessian.hessian(net, nn.CrossEntropyLoss(), cuda=False, **data)


@pytest.mark.parametrize("loader", [False, True])
def test_hessian_products_are_theirs(loader):
    from pyhessian.utils import hessian_vector_product

    world = double()
    probe, them = world.probe("0"), theirs(world, loader)
    vector = torch.randn(314, generator=torch.Generator().manual_seed(1)).double()
    sizes = [p.numel() for p in them.params]
    parts = [v.reshape(p.shape) for v, p in zip(vector.split(sizes), them.params, strict=True)]
    if loader:
        found = them.dataloader_hv_product(parts)[1]
    else:
        found = hessian_vector_product(them.gradsH, them.params, parts)
    flat = torch.cat([part.reshape(-1) for part in found])
    torch.testing.assert_close(probe.hessian_product(probe.weights(), "train")(vector), flat)


@pytest.mark.parametrize("loader", [False, True])
def test_top_eigenvalues_are_those_of_their_power_iteration(loader):
    world = double()
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        expected = theirs(world, loader).eigenvalues(maxIter=1000, tol=1e-7, top_n=3)[0]
    ours = values(world.read(HESSIAN_TOP, ["0"], HessianTopSettings(k=3)))
    assert [ours[f"eigenvalue-{n}"] for n in range(1, 4)] == pytest.approx(expected, rel=1e-4)


def test_the_trace_agrees_with_theirs_of_many_probes():
    world = double()
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        probes = torch.tensor(theirs(world, False).trace(maxIter=2000, tol=0.0))
    error = float(probes.std()) / len(probes) ** 0.5
    reading = world.read(HESSIAN_TRACE, ["0"], HessianTraceSettings(most=2000))
    spread = (error**2 + errors(reading)["trace"] ** 2) ** 0.5
    assert abs(values(reading)["trace"] - float(probes.mean())) < 4 * spread
