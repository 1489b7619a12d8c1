import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.measure.scene import Budget
from harness.testing.scenes import World
from harness_landscape.sharpness import SHARPNESS, SharpnessSettings
from harness_landscape.sharpness_kinds import RADII, kind_of


def read(scene, *variants, radii=(0.5,), **settings):
    chosen = SharpnessSettings(variants=variants, radii=dict.fromkeys(variants, radii), **settings)
    return scene.read(SHARPNESS, ["a"], chosen)


def values(reading):
    return {value.name: value.value for value in reading.values}


def errors(reading):
    return {value.name: value.standard_error for value in reading.values}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 8)
        self.two = nn.Linear(8, 3)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))


def network(scale=1.0):
    generator = torch.Generator().manual_seed(0)
    shapes = {name: tensor.shape for name, tensor in Net().state_dict().items()}
    state = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    state |= {name: state[name] * scale for name in ("two.weight", "two.bias")}
    data = torch.randn(64, 4, generator=generator), torch.arange(64) % 3
    splits = {"train": data, "test": data, "ood-far": data}
    return World(Net(), splits, {"a": state}, head=("two.",))


def test_normalised_logits_make_it_blind_to_their_scale():
    name = "worst-linf-adaptive-normalised"
    small, large = (values(read(network(c), name, "worst-linf-adaptive")) for c in (1.0, 30.0))
    assert small[f"{name}-0.5"] == pytest.approx(large[f"{name}-0.5"], rel=1e-3)
    assert large["worst-linf-adaptive-0.5"] > 3 * small["worst-linf-adaptive-0.5"]


def test_permuted_units_have_the_same_worst_case():
    name = "worst-l2-adaptive"
    scene, other = network(), network()
    order = torch.arange(7, -1, -1)
    run = other.runs["a"]
    run["one.weight"], run["one.bias"] = run["one.weight"][order], run["one.bias"][order]
    run["two.weight"] = run["two.weight"][:, order]
    before, after = (values(read(each, name))[f"{name}-0.5"] for each in (scene, other))
    assert after == pytest.approx(before, rel=1e-3)


def test_batches_that_the_memory_allows_change_nothing():
    names = ("average", "worst-l2", "worst-linf-adaptive-normalised")
    scene = network()
    small = World(Net(), scene.splits, scene.runs, budget=Budget(batch=3000))
    settings = {"batch": None, "examples": 50, "iterations": 5, "radii": (0.1,)}
    before, after = (values(read(each, *names, **settings)) for each in (scene, small))
    for name in before:
        assert after[name] == pytest.approx(before[name], rel=1e-3), name


def test_dropout_is_off_and_batch_norm_keeps_its_statistics():
    class Noisy(nn.Module):
        def __init__(self, rate):
            super().__init__()
            self.one, self.two = nn.Linear(4, 8), nn.Linear(8, 3)
            self.norm, self.drop = nn.BatchNorm1d(8), nn.Dropout(rate)

        def forward(self, x):
            return self.two(self.drop(torch.relu(self.norm(self.one(x)))))

    scene = network()
    state = {**Noisy(0.5).state_dict(), **scene.runs["a"]}
    state["norm.running_mean"], state["norm.running_var"] = torch.ones(8), torch.full((8,), 3.0)
    found = []
    for rate in (0.0, 0.9):
        module = Noisy(rate).train()
        reading = World(module, scene.splits, {"a": state}).read(SHARPNESS, ["a"])
        found.append(values(reading))
        assert module.training
        assert torch.equal(state["norm.running_mean"], torch.ones(8))
    assert found[0] == found[1]


def test_the_sweep_is_the_literatures_and_a_larger_ball_is_never_flatter():
    reading = network().read(SHARPNESS, ["a"])
    for curve in reading.curves:
        kind = kind_of(curve.name, 0.0)
        assert curve.x == list(RADII[kind.sweep])
        if kind.norm is not None:
            assert curve.y["rise"] == sorted(curve.y["rise"])
            assert curve.y["rise"][0] > 0
    named = {f"{curve.name}-{x:g}" for curve in reading.curves for x in curve.x}
    assert named == set(values(reading))
    assert reading.protocol["examples"] == 64
    assert reading.protocol["access"] == "train"


def test_what_stays_fixed_costs_nothing_of_the_ball():
    every, some = (
        values(read(network(), "worst-l2", parameters=group))["worst-l2-0.5"]
        for group in ("all", "no-head")
    )
    assert 0 < some < every


def test_weights_and_everything_else_stay_as_they_were():
    scene = network()
    before = {name: tensor.clone() for name, tensor in scene.runs["a"].items()}
    reading = scene.read(SHARPNESS, ["a"])
    assert "restored" not in reading.protocol
    assert all(torch.equal(before[name], scene.runs["a"][name]) for name in before)
    assert reading == scene.read(SHARPNESS, ["a"]).model_copy(update={"cost": reading.cost})


def test_a_diverged_run_has_no_sharpness_and_raises_nothing():
    scene = network()
    scene.runs["a"]["one.weight"].fill_(float("nan"))
    reading = read(scene, "average", "worst-l2", "worst-linf-adaptive-normalised", "keskar")
    assert all(math.isnan(value) for value in values(reading).values())
    assert all(error is None for error in errors(reading).values())


def test_it_reads_training_data_and_refuses_ood():
    assert read(network(), "average", split="test").protocol["access"] == "id"
    with pytest.raises(HarnessError, match="ood-far"):
        read(network(), "average", split="ood-far")


def test_the_work_is_what_the_card_says():
    average = read(network(), "average", radii=(0.1, 0.2), draws=3).cost
    assert (average.forward, average.backward) == (64 * (1 + 3 * 2 * 2), 0)
    worst = read(network(), "worst-l2", radii=(0.1, 0.2), iterations=5, batch=20).cost
    assert (worst.forward, worst.backward) == (64 * (1 + 2 * 5), 64 * (1 + 2 * 5))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"variants": ["average", "average"]}, "average stands there twice"),
        ({"radii": {"keskar": [0.1]}}, "keskar, which is not among the variants"),
        ({"radii": {"average": [0.1, 0.1]}}, "0.1 stands there twice"),
        ({"radii": {"average": [0.0]}}, "greater than 0"),
        ({"radii": {"average": []}}, "at least 1"),
        ({"variants": ["worst"]}, "worst-l2"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(wrong, said):
    with pytest.raises(ValueError, match=said):
        SharpnessSettings(**wrong)
