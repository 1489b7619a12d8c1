import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.api.errors import HarnessError
from harness.measure.scene import Budget
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.hessian_top import HESSIAN_TOP, HessianTopSettings


class Bowl(nn.Module):
    def __init__(self, matrix):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(len(matrix), dtype=matrix.dtype))
        self.matrix = matrix

    def forward(self, x):
        return self.w @ self.matrix @ self.w / 2


def bowl(*diagonal, dtype=torch.float64):
    """A quadratic loss with these eigenvalues, in a rotated basis."""
    size = len(diagonal)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(size, size, dtype=torch.float64, generator=generator)
    basis = torch.linalg.qr(noise)[0]
    matrix = basis @ torch.diag(torch.tensor(diagonal).double()) @ basis.T
    start = torch.randn(size, generator=generator).to(dtype)
    data = torch.zeros(3, 1, dtype=dtype), torch.zeros(3, dtype=dtype)
    runs = {"a": {"w": start}}
    return World(Bowl(matrix.to(dtype)), {"train": data, "test": data}, runs, LOSS_ITSELF)


def values(reading):
    return {value.name: value.value for value in reading.values}


def top(world, **settings):
    reading = world.read(HESSIAN_TOP, ["a"], HessianTopSettings(**settings))
    found = values(reading)
    count = sum(name.startswith("eigenvalue") for name in found)
    return [found[f"eigenvalue-{place}"] for place in range(1, count + 1)], reading


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opposite_eigenvalues_are_found_and_their_residuals_are_small(dtype):
    found, reading = top(bowl(5.0, -5.0, 1.0, 0.5, dtype=dtype), k=2)
    assert sorted(found) == pytest.approx([-5.0, 5.0], rel=1e-5)
    assert values(reading)["residual-1"] < 1e-3
    assert values(reading)["residual-2"] < 1e-3
    assert reading.converged


def test_magnitude_and_value_are_different_questions():
    world = bowl(5.0, -7.0, 1.0, 0.5)
    assert top(world, k=2)[0] == pytest.approx([-7.0, 5.0])
    assert top(world, k=2, which="value")[0] == pytest.approx([5.0, 1.0])


def test_a_flat_loss_has_zero_eigenvalues():
    found, reading = top(bowl(0.0, 0.0, 0.0, 0.0), k=3)
    assert found == [0.0, 0.0, 0.0]
    assert reading.converged


def test_a_single_parameter_has_a_single_eigenvalue():
    found, reading = top(bowl(3.0), k=5)
    assert found == pytest.approx([3.0])
    assert values(reading)["products"] == 1
    assert reading.converged


def test_low_rank_plus_identity_in_single_precision_has_no_ghosts():
    found, reading = top(bowl(9.0, 5.0, *[1.0] * 98, dtype=torch.float32), k=4)
    assert found == pytest.approx([9.0, 5.0, 1.0, 1.0], rel=1e-4)
    assert values(reading)["products"] <= 8


def test_running_out_of_products_is_said():
    found, reading = top(bowl(*[1 + n / 100 for n in range(100)]), k=5, products=6)
    assert not reading.converged
    assert values(reading)["products"] == 6
    assert max(values(reading)[f"residual-{n}"] for n in range(1, 6)) > 1e-3
    assert len(found) == 5


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(8, 16)
        self.two = nn.Linear(16, 10)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))


def network(count=90, budget=None):
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.randn(tensor.shape, generator=generator) / 2
        for name, tensor in Net().state_dict().items()
    }
    data = torch.randn(count, 8, generator=generator), torch.arange(count) % 10
    splits = {"train": data, "test": data, "ood-far": data}
    return World(Net(), splits, {"a": state, "b": state}, budget=budget or Budget())


@pytest.mark.parametrize("which", ["magnitude", "value"])
@pytest.mark.parametrize("budget", [Budget(), Budget(batch=8000, graph=0)])
def test_a_network_has_the_eigenvalues_of_its_dense_hessian(which, budget):
    world = network(budget=budget)
    state = {name: tensor.double() for name, tensor in world.runs["a"].items()}
    assert sum(tensor.numel() for tensor in state.values()) <= 500
    x, y = world.splits["train"]

    def loss(vector):
        parts = vector.split([tensor.numel() for tensor in state.values()])
        named = zip(state.items(), parts, strict=True)
        weights = {name: part.reshape(tensor.shape) for (name, tensor), part in named}
        out = torch.func.functional_call(Net(), weights, (x.double(),))
        return functional.cross_entropy(out, y)

    start = torch.cat([tensor.reshape(-1) for tensor in state.values()])
    exact = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, start))
    rank = exact.abs() if which == "magnitude" else exact
    expected = exact[rank.argsort(descending=True)][:5].tolist()
    found, reading = top(world, which=which)
    assert reading.converged
    assert found == pytest.approx(expected, rel=1e-4)
    assert values(reading)["products"] <= 40


def test_the_examples_that_the_loss_is_the_mean_of_are_stated_and_fixed():
    world = network()
    some, reading = top(world, examples=30)
    assert reading.protocol["examples"] == 30
    assert some == top(world, examples=30)[0]
    everything, whole = top(world, examples=None)
    assert whole.protocol["examples"] == 90
    assert everything == top(world, examples=1000)[0]
    assert some != everything


def test_two_runs_with_the_same_weights_are_read_alike_whatever_their_start_vectors():
    world = network()
    readings = [world.read(HESSIAN_TOP, [run]) for run in "ab"]
    first, second = ([values(r)[f"eigenvalue-{n}"] for n in range(1, 6)] for r in readings)
    assert first == pytest.approx(second, rel=1e-3)


def test_reading_twice_in_a_row_gives_the_same_and_the_second_time_for_nothing_in_a_pack():
    world = network()
    shared = world.shared()
    first = world.read(HESSIAN_TOP, ["a"], shared=shared)
    again = world.read(HESSIAN_TOP, ["a"], shared=shared)
    alone = world.read(HESSIAN_TOP, ["a"])
    assert first.values == again.values == alone.values
    assert again.protocol["hessian_products"] == 0
    assert first.protocol["hessian_products"] == values(first)["products"]
    assert first.cost.forward == 90 + 2 * 90 * values(first)["products"]


def test_it_reads_training_data_and_refuses_ood():
    world = network()
    assert top(world)[1].protocol["access"] == "train"
    assert top(world, split="test")[1].protocol["access"] == "id"
    with pytest.raises(HarnessError, match="ood-far"):
        top(world, split="ood-far")


def test_a_diverged_run_gives_no_numbers_and_does_not_converge():
    world = network()
    world.runs["a"]["one.weight"].fill_(float("nan"))
    found, reading = top(world)
    assert all(value != value for value in found)
    assert not reading.converged


def test_offers_are_made_without_torch():
    import subprocess
    import sys

    code = (
        "import sys, harness_landscape as h; offers = h.harness_metrics(); "
        "assert {o.name for o in offers} >= {'barrier', 'hessian-top'}; "
        "assert not {'torch', 'numpy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.gpu
def test_a_gpu_finds_the_eigenvalues_of_the_cpu():
    from dataclasses import replace

    from harness.measure.shared import Shared

    world = network()
    expected = top(world)[0]
    cuda = torch.device("cuda")
    data = {n: (x.to(cuda), y.to(cuda)) for n, (x, y) in world.splits.items()}
    runs = {k: {n: t.to(cuda) for n, t in run.items()} for k, run in world.runs.items()}
    there = World(Net().to(cuda), data, runs)
    shared = Shared(replace(there.shared().scene, device=cuda))
    found = values(there.read(HESSIAN_TOP, ["a"], shared=shared))
    assert [found[f"eigenvalue-{n}"] for n in range(1, 6)] == pytest.approx(expected, rel=1e-3)
    probe = there.probe("a", shared=shared)
    product = probe.hessian_product(probe.weights(), "train")
    block = torch.randn(3, len(probe.parameters(probe.weights())), device=cuda)
    rows = torch.stack([product(row) for row in block])
    torch.testing.assert_close(product(block), rows, rtol=1e-3, atol=1e-5)


def test_every_setting_has_a_meaning_and_a_source():
    from harness_landscape import harness_metrics

    for offer in harness_metrics():
        for card in (offer.formula, offer.invariances, offer.cost, offer.oracle, offer.source):
            assert card
        for name, field in offer.settings.model_fields.items():
            assert field.description, name
            assert field.json_schema_extra["source"], name
