import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.api.errors import HarnessError
from harness.measure.shared import Shared
from harness.testing.scenes import World
from harness_landscape.barrier import BARRIER, BarrierSettings

NAMES = ("lerp-loss", "frankle-loss", "lerp-error", "frankle-error")


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


class Net(nn.Module):
    def __init__(self, norm=False):
        super().__init__()
        self.one = nn.Linear(6, 16)
        self.norm = nn.BatchNorm1d(16) if norm else nn.Identity()
        self.two = nn.Linear(16, 4)

    def forward(self, x):
        return self.two(torch.relu(self.norm(self.one(x))))


def permuted_pair(norm=False):
    """A network that fits its data well, and the same one with its hidden units exchanged."""
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(60, 6, generator=generator)
    state = {
        name: torch.randn(tensor.shape, generator=generator)
        if tensor.is_floating_point()
        else tensor.clone()
        for name, tensor in Net(norm).state_dict().items()
    }
    if norm:
        hidden = functional.linear(x, state["one.weight"], state["one.bias"])
        state["norm.running_mean"], state["norm.running_var"] = hidden.mean(0), hidden.var(0)
    net = Net(norm).eval()
    net.load_state_dict(state)
    y = net(x).argmax(1)
    order = torch.arange(15, -1, -1)
    other = {
        name: tensor.clone()
        if name.startswith("two.bias") or not tensor.dim()
        else (tensor[:, order] if name == "two.weight" else tensor[order])
        for name, tensor in state.items()
    }
    far = x + torch.randn(60, 6, generator=generator), y
    splits = {"train": (x, y), "test": (x, y), "ood-noise": far}
    return World(Net(norm), splits, {"a": state, "b": other})


def test_a_permuted_copy_has_equal_ends_and_a_barrier():
    reading = permuted_pair().read(BARRIER, ["a", "b"])
    for curve in reading.curves:
        assert curve.y["loss"][0] == pytest.approx(curve.y["loss"][-1], rel=1e-5)
        assert curve.y["error"][0] == curve.y["error"][-1]
    found = values(reading)
    assert found["frankle-error"] > 0.1
    assert found["lerp-loss"] > 0.1
    assert reading.curves[0].y["error"][0] == 0.0


def test_in_domain_and_ood_are_read_off_the_same_line_and_kept_apart():
    reading = permuted_pair().read(BARRIER, ["a", "b"])
    assert {value.split for value in reading.values} == {"test", "ood-noise"}
    assert [curve.split for curve in reading.curves] == ["test", "ood-noise"]
    assert values(reading, "test")["lerp-loss"] != values(reading, "ood-noise")["lerp-loss"]
    assert reading.protocol["access"] == "ood-labels"
    assert reading.protocol["access_by_split"] == {"test": "id", "ood-noise": "ood-labels"}


def test_a_barrier_that_saw_no_ood_split_is_a_legal_predictor():
    world = permuted_pair(norm=True)
    splits = {name: data for name, data in world.splits.items() if name[:3] != "ood"}
    reading = World(world.module, splits, world.runs).read(BARRIER, ["a", "b"])
    assert reading.protocol["access"] == "id"


def test_every_split_has_both_definitions_of_loss_and_error_and_where_they_are_highest():
    reading = permuted_pair().read(BARRIER, ["a", "b"])
    for split in ("test", "ood-noise"):
        assert set(values(reading, split)) == {*NAMES, *(f"{name}-alpha" for name in NAMES)}
    assert {v.name for v in reading.values if v.detail} == {f"{name}-alpha" for name in NAMES}


def test_the_order_of_the_two_runs_does_not_matter():
    world = permuted_pair(norm=True)
    there, back = (values(world.read(BARRIER, pair)) for pair in (["a", "b"], ["b", "a"]))
    for name in NAMES:
        assert there[name] == pytest.approx(back[name], rel=1e-4)


def test_a_run_has_no_barrier_to_itself():
    found = values(permuted_pair().read(BARRIER, ["a", "a"]))
    assert [found[name] for name in NAMES] == pytest.approx([0.0] * 4, abs=1e-6)


def test_batch_norm_is_recalibrated_unless_it_shall_not_be():
    world = permuted_pair(norm=True)
    anew = world.read(BARRIER, ["a", "b"])
    stale = world.read(BARRIER, ["a", "b"], BarrierSettings(recalibrate="never"))
    assert anew.protocol["batch_norm"] == "statistics anew from train at every point"
    assert stale.protocol["batch_norm"] == "statistics interpolated"
    assert anew.curves[0].y["loss"][5] != stale.curves[0].y["loss"][5]
    assert "none" in permuted_pair().read(BARRIER, ["a", "b"]).protocol["batch_norm"]


def test_the_standard_error_is_that_of_a_mean_over_examples():
    world = permuted_pair()
    reading = world.read(BARRIER, ["a", "b"])
    value = next(v for v in reading.values if v.name == "lerp-loss" and v.split == "test")
    place = round(values(reading)["lerp-loss-alpha"] * 10)
    probe = world.probe("a", "b")
    points = probe.line(probe.weights(0), probe.weights(1), [n / 10 for n in range(11)])
    each = probe.evaluate(points, "test", each=True).example_losses
    above = each[place] - (each[0] * (10 - place) + each[-1] * place) / 10
    assert value.value == pytest.approx(above.mean().item())
    assert value.standard_error == pytest.approx(above.std(correction=1).item() / 60**0.5)


def test_readings_do_not_depend_on_the_pack_but_cost_less_in_it():
    world = permuted_pair(norm=True)
    shared = world.shared()
    world.read(BARRIER, ["a", "b"], shared=shared)
    later = world.read(BARRIER, ["b", "a"], shared=shared)
    alone = world.read(BARRIER, ["b", "a"])
    assert later.values == alone.values
    assert later.curves == alone.curves
    # nine points in between: recalibrated on 60 examples, evaluated on two splits of 60
    assert later.cost.forward == 9 * 60 + 9 * 120
    assert alone.cost.forward == 11 * 60 + 11 * 120


def test_reading_twice_in_a_row_gives_the_same():
    world = permuted_pair()
    assert world.read(BARRIER, ["a", "b"]).values == world.read(BARRIER, ["a", "b"]).values


@pytest.mark.parametrize("runs", ["ab", "ba", "bb"])
def test_a_diverged_run_has_no_barrier_also_not_of_the_error_which_is_1_all_along(runs):
    world = permuted_pair()
    world.runs["b"]["one.weight"].fill_(float("nan"))
    reading = world.read(BARRIER, list(runs))
    assert reading.curves[0].y["error"][-1 if runs != "ba" else 0] == 1
    assert all(math.isnan(value.value) for value in reading.values)
    assert all(value.standard_error is None for value in reading.values)


def test_ood_splits_are_closed_where_the_access_of_the_offer_is_less():
    with pytest.raises(HarnessError, match="ood-noise"):
        permuted_pair().read(replace(BARRIER, access="id"), ["a", "b"])


@pytest.mark.parametrize("points", [2, 0, -1])
def test_a_line_needs_a_point_between_its_ends(points):
    with pytest.raises(ValueError, match="points"):
        BarrierSettings(points=points)


@pytest.mark.gpu
def test_stacked_on_a_gpu_the_barrier_is_that_of_the_cpu():
    world = permuted_pair(norm=True)
    expected = values(world.read(BARRIER, ["a", "b"]))
    cuda = torch.device("cuda")
    scene = world.shared().scene
    data = {n: (x.to(cuda), y.to(cuda)) for n, (x, y) in world.splits.items()}
    runs = {k: {n: t.to(cuda) for n, t in run.items()} for k, run in world.runs.items()}
    there = World(world.module.to(cuda), data, runs, stacked=True)
    shared = Shared(replace(there.shared().scene, device=cuda))
    found = values(there.read(BARRIER, ["a", "b"], shared=shared))
    assert scene.device.type == "cpu"
    assert found == pytest.approx(expected, rel=1e-4)
