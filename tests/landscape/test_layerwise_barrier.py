import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.barrier import BARRIER, BarrierSettings
from harness_landscape.layerwise_barrier import (
    KINDS,
    LAYERWISE_BARRIER,
    LayerwiseBarrierSettings,
)


class Weight(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))


class Two(nn.Module):
    """A loss that is a function of two modules of one weight each."""

    def __init__(self, loss):
        super().__init__()
        self.u, self.v, self.loss = Weight(), Weight(), loss

    def forward(self, x):
        return self.loss(self.u.w, self.v.w).sum()


def between(loss, start, end):
    data = torch.zeros(3, 1).double(), torch.zeros(3).double()
    runs = {
        key: {"u.w": torch.tensor(ends[:1]).double(), "v.w": torch.tensor(ends[1:]).double()}
        for key, ends in (("a", start), ("b", end))
    }
    return World(Two(loss), {"train": data, "test": data}, runs, LOSS_ITSELF)


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


def test_a_sum_of_functions_has_the_barrier_of_each_in_its_module():
    world = between(lambda u, v: (u**2 - 1) ** 2 + v**2 + 3 * v, (-1.0, -1.0), (1.0, 1.0))
    found = values(world.read(LAYERWISE_BARRIER, ["a", "b"]))
    assert found["lerp-loss[u]"] == pytest.approx(1.0)  # a double well
    assert found["lerp-loss[v]"] == pytest.approx(0.0)  # convex
    assert found["lerp-loss-max"] == found["lerp-loss[u]"]
    assert found["swap-loss[u]"] == pytest.approx(0.0)
    assert found["swap-loss[v]"] == pytest.approx(0.0)  # +6 in one run, -6 in the other


def test_layers_of_a_product_are_convex_one_by_one_and_have_a_barrier_together():
    world = between(lambda u, v: (u * v - 1) ** 2, (1.0, 1.0), (-1.0, -1.0))
    found = values(world.read(LAYERWISE_BARRIER, ["a", "b"]))
    assert [found["lerp-loss[u]"], found["lerp-loss[v]"]] == [0.0, 0.0]
    assert [found["swap-loss[u]"], found["swap-loss[v]"]] == [4.0, 4.0]
    assert values(world.read(BARRIER, ["a", "b"]))["lerp-loss"] == 1.0


def test_modules_have_the_names_of_the_network_and_a_curve_in_their_order():
    reading = between(lambda u, v: u * v, (0.0, 1.0), (2.0, 5.0)).read(
        LAYERWISE_BARRIER, ["a", "b"]
    )
    assert reading.protocol["modules"] == ["u", "v"]
    found = values(reading)
    assert [found["swap-loss[u]"], found["swap-loss[v]"]] == [(2 - 10) / 2, (0 - 8) / 2]
    assert reading.curves[0].y["swap-loss"] == [found["swap-loss[u]"], found["swap-loss[v]"]]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU())
        self.two = nn.Linear(8, 3)

    def forward(self, x):
        return self.two(self.body(x))


def networks(module=Net):
    generator = torch.Generator().manual_seed(3)

    def run():
        found = module().state_dict()
        noise = {n: torch.randn(t.shape, generator=generator) for n, t in found.items()}
        return {n: noise[n].abs() if "var" in n else noise[n].to(t) for n, t in found.items()}

    x = torch.randn(40, 5, generator=generator)
    data = x, torch.arange(40) % 3
    splits = {"train": data, "test": data, "ood-far": (3 * x, data[1])}
    return World(module().eval(), splits, {"a": run(), "b": run()})


def test_a_network_of_one_module_has_the_barrier_of_the_whole_line():
    class Called(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 3)

        def forward(self, x):
            return 5 * torch.cos(self.layer(x))

    world, settings = networks(Called), LayerwiseBarrierSettings(points=11)
    world.runs["b"].update({name: -tensor for name, tensor in world.runs["a"].items()})  # as good
    x, a = world.splits["test"][0], world.runs["a"]
    y = torch.cos(x @ a["layer.weight"].T + a["layer.bias"]).argmax(1)
    world = World(world.module, {"train": (x, y), "test": (x, y)}, world.runs)
    layer = values(world.read(LAYERWISE_BARRIER, ["a", "b"], settings))
    whole = values(world.read(BARRIER, ["a", "b"], BarrierSettings(points=11)))
    assert whole["lerp-loss"] > 0
    for kind in ("lerp-loss", "lerp-error"):
        assert layer[f"{kind}[layer]"] == pytest.approx(whole[kind], abs=1e-6)


def test_the_order_of_the_two_runs_does_not_matter():
    world = networks()
    there, back = (world.read(LAYERWISE_BARRIER, pair) for pair in (["a", "b"], ["b", "a"]))
    for split in ("test", "ood-far"):
        assert values(there, split) == pytest.approx(values(back, split), rel=1e-4, abs=1e-6)


def test_a_module_that_is_equal_in_both_runs_has_no_barrier():
    world = networks()
    world.runs["b"].update({n: t for n, t in world.runs["a"].items() if n.startswith("two.")})
    found = values(world.read(LAYERWISE_BARRIER, ["a", "b"]))
    assert [found[f"{kind}[two]"] for kind in KINDS] == [0.0] * 4
    assert found["swap-loss[body.0]"] != 0


def test_named_modules_go_with_all_their_parts():
    settings = LayerwiseBarrierSettings(modules=("body",))
    world = networks()
    reading = world.read(LAYERWISE_BARRIER, ["a", "b"], settings)
    assert reading.protocol["modules"] == ["body"]
    a, b = (world.runs[name] for name in "ab")
    probe = world.probe("a")
    names = [n for n in probe.names() if n.startswith("body.")]
    swaps = [{**a, **{n: b[n] for n in names}}, {**b, **{n: a[n] for n in names}}]
    losses = probe.evaluate(probe.recalibrated([*swaps, a, b]), "test").loss
    assert values(reading)["swap-loss[body]"] == pytest.approx(
        ((losses[0] + losses[1] - losses[2] - losses[3]) / 2).item()
    )
    with pytest.raises(HarnessError, match="tail"):
        world.read(LAYERWISE_BARRIER, ["a", "b"], LayerwiseBarrierSettings(modules=("tail",)))


def test_the_standard_error_is_that_of_a_mean_over_examples():
    world = networks()
    reading = world.read(LAYERWISE_BARRIER, ["a", "b"])
    value = next(v for v in reading.values if v.name == "swap-loss[two]" and v.split == "test")
    a, b = (world.runs[name] for name in "ab")
    own = ("two.weight", "two.bias")
    swaps = [{**a, **{n: b[n] for n in own}}, {**b, **{n: a[n] for n in own}}]
    probe = world.probe("a")
    each = probe.evaluate(probe.recalibrated([*swaps, a, b]), "test", each=True).example_losses
    rise = (each[0] + each[1] - each[2] - each[3]) / 2
    assert value.value == pytest.approx(rise.mean().item())
    assert value.standard_error == pytest.approx(rise.std().item() / 40**0.5)


def test_the_largest_over_modules_is_reported_and_the_modules_are_details():
    reading = networks().read(LAYERWISE_BARRIER, ["a", "b"])
    assert {v.name for v in reading.values if not v.detail} == {f"{kind}-max" for kind in KINDS}
    for split in ("test", "ood-far"):
        found = values(reading, split)
        for kind in KINDS:
            per_module = [found[f"{kind}[{m}]"] for m in ("body.0", "body.1", "two")]
            assert found[f"{kind}-max"] == max(per_module)


def test_a_pass_costs_what_the_card_says():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(5, 4), nn.Linear(4, 3)

        def forward(self, x):
            return self.two(torch.relu(self.one(x)))

    world = networks(Plain)
    cost = world.read(LAYERWISE_BARRIER, ["a", "b"]).cost
    # 2 runs, and 2 modules x 2 runs x 4 points, on two splits of 40
    assert cost.forward == (2 + 2 * 2 * 4) * 2 * 40


def test_a_diverged_run_gives_no_number_and_no_exception():
    world = networks()
    world.runs["b"]["two.weight"].fill_(math.nan)
    found = values(world.read(LAYERWISE_BARRIER, ["a", "b"]))
    assert math.isnan(found["lerp-loss[two]"])
    assert all(math.isnan(value) for value in found.values())  # the error is 1, as all along
