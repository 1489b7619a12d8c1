import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from harness.api.cells import Seeds
from harness.measure.reading import Order, read
from harness.measure.scene import CLASSIFICATION, Objective
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.soup_gain import SOUP_GAIN, SoupGainSettings

ALONE = SoupGainSettings(ensemble=False, greedy=False)


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


class Linear(nn.Module):
    def __init__(self, outputs=1, norm=False):
        super().__init__()
        self.layer = nn.Linear(4, outputs).double()
        self.norm = nn.BatchNorm1d(outputs).double() if norm else nn.Identity()

    def forward(self, x):
        return self.norm(self.layer(x))


def linear_models(count=5, outputs=1, objective=CLASSIFICATION, norm=False):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 4, generator=generator).double()
    y = (
        torch.randn(40, generator=generator).double()
        if outputs == 1
        else torch.arange(40) % outputs
    )
    runs = {}
    for number in range(count):
        state = Linear(outputs, norm).state_dict()
        runs[f"r{number}"] = {
            name: torch.randn(t.shape, generator=generator).double()
            if name.startswith("layer")
            else t.clone()
            for name, t in state.items()
        }
    splits = {"train": (x, y), "test": (x, y), "ood-far": (3 * x, y)}
    return World(Linear(outputs, norm), splits, runs, objective)


SQUARES = Objective(lambda out, y: (out[:, 0] - y) ** 2, lambda out, y: torch.zeros_like(out[:, 0]))


def test_the_gain_in_linear_regression_is_the_ambiguity_of_the_runs():
    world = linear_models(objective=SQUARES)
    found = values(world.read(SOUP_GAIN, list(world.runs), ALONE))
    w = torch.stack(
        [torch.cat([t.reshape(-1) for t in run.values()]) for run in world.runs.values()]
    )
    x = torch.cat([world.splits["test"][0], torch.ones(40, 1).double()], 1)
    hessian = 2 * x.T @ x / 40
    apart = w - w.mean(0)
    ambiguity = (apart @ hessian * apart).sum(1).mean() / 2
    assert found["gain-loss"] == pytest.approx(ambiguity.item())


def test_soup_and_ensemble_agree_where_logits_are_linear_in_the_weights():
    world = linear_models(outputs=3)
    reading = world.read(SOUP_GAIN, list(world.runs))
    for split in ("test", "ood-far"):
        found = values(reading, split)
        assert found["gain-loss"] > 0  # the loss is convex
        assert found["ensemble-gain-loss"] == pytest.approx(found["gain-loss"])
        assert found["ensemble-gain-error"] == pytest.approx(found["gain-error"])


def test_equal_runs_gain_nothing():
    world = linear_models(count=1, outputs=3)
    world.runs.update({f"r{number}": world.runs["r0"] for number in range(1, 4)})
    for value in world.read(SOUP_GAIN, list(world.runs)).values:
        if value.name != "greedy-size":
            assert value.value == pytest.approx(0, abs=1e-15)


def test_runs_of_two_wells_lose_the_height_of_the_wall():
    class Well(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))

        def forward(self, x):
            return ((self.w**2 - 1) ** 2).sum()

    runs = {name: {"w": torch.tensor([w]).double()} for name, w in (("a", -1.0), ("b", 1.0))}
    data = torch.zeros(3, 1).double(), torch.zeros(3).double()
    world = World(Well(), {"train": data, "test": data}, runs, LOSS_ITSELF)
    assert values(world.read(SOUP_GAIN, ["a", "b"], ALONE))["gain-loss"] == -1.0


def test_the_soup_is_the_mean_whatever_the_order_of_the_runs():
    world = linear_models(outputs=3)
    there = values(world.read(SOUP_GAIN, ["r0", "r1", "r2"]))
    assert there == pytest.approx(values(world.read(SOUP_GAIN, ["r2", "r0", "r1"])))
    probe = world.probe("r0")
    mean = {n: sum(world.runs[f"r{k}"][n] for k in range(3)) / 3 for n in world.runs["r0"]}
    losses = probe.evaluate([*(world.runs[f"r{k}"] for k in range(3)), mean], "test").loss
    assert there["gain-loss"] == pytest.approx((losses[:3].mean() - losses[3]).item())


def read_with(world, pretrain, settings=None):
    """A reading with these pretraining seeds."""
    keys = list(world.runs)
    settings = settings or SoupGainSettings()
    subject = world.probe(*keys).subject
    seeds = tuple(Seeds(seed, number) for number, seed in enumerate(pretrain))
    order = Order(SOUP_GAIN, settings, replace(subject, seeds=seeds), ("test", "ood-far"))
    return read(order, world.shared())


def test_runs_of_one_pretraining_seed_are_averaged_among_themselves_too():
    world = linear_models(outputs=3)
    reading = read_with(world, [0, 0, 1, 1, 2])
    assert reading.protocol["families"] == [2, 2]
    found = values(reading)
    pairs = [values(world.read(SOUP_GAIN, pair)) for pair in (["r0", "r1"], ["r2", "r3"])]
    for name in ("gain-loss", "gain-error", "ensemble-gain-loss"):
        assert found[f"within-{name}"] == pytest.approx((pairs[0][name] + pairs[1][name]) / 2)


@pytest.mark.parametrize("seeds", [[0, 0, 0, 0, 0], [0, 1, 2, 3, 4]])
def test_there_is_nothing_within_where_seeds_are_all_equal_or_all_different(seeds):
    reading = read_with(linear_models(outputs=3), seeds)
    names = {value.name for value in reading.values if not value.name.startswith("greedy")}
    assert names == {"gain-loss", "gain-error", "ensemble-gain-loss", "ensemble-gain-error"}


def test_the_standard_error_is_that_of_a_mean_over_examples():
    world = linear_models(count=2, outputs=3)
    reading = world.read(SOUP_GAIN, ["r0", "r1"])
    value = next(v for v in reading.values if v.name == "gain-loss" and v.split == "test")
    mean = {n: (world.runs["r0"][n] + world.runs["r1"][n]) / 2 for n in world.runs["r0"]}
    points = [world.runs["r0"], world.runs["r1"], mean]
    each = world.probe("r0").evaluate(points, "test", each=True).example_losses
    gain = (each[0] + each[1]) / 2 - each[2]
    assert value.standard_error == pytest.approx(gain.std().item() / 40**0.5)


def test_batch_norm_is_recalibrated_for_soup_and_runs_alike():
    world = linear_models(outputs=3, norm=True)
    for number, run in enumerate(world.runs.values()):
        run["norm.running_mean"] += number  # stale
    anew = world.read(SOUP_GAIN, list(world.runs))
    stale = world.read(SOUP_GAIN, list(world.runs), SoupGainSettings(recalibrate="never"))
    assert anew.protocol["batch_norm"] == "statistics anew from train at every point"
    assert stale.protocol["batch_norm"] == "statistics averaged"
    for run in world.runs.values():
        run["norm.running_mean"] += 7
    again = world.read(SOUP_GAIN, list(world.runs))
    assert values(again) == pytest.approx(values(anew))
    assert values(anew)["gain-loss"] != pytest.approx(values(stale)["gain-loss"])


def test_a_run_that_was_evaluated_before_costs_nothing():
    world = linear_models(outputs=3)
    shared = world.shared()
    keys = list(world.runs)
    first = world.read(SOUP_GAIN, keys, ALONE, shared)
    assert first.cost.forward == (5 + 1) * 2 * 40
    assert world.read(SOUP_GAIN, keys, ALONE, shared).cost.forward == 1 * 2 * 40


def test_a_diverged_run_gives_no_number_and_no_exception():
    world = linear_models(outputs=3)
    world.runs["r1"]["layer.weight"].fill_(math.nan)
    found = values(world.read(SOUP_GAIN, list(world.runs)))
    assert math.isnan(found["gain-loss"])
    assert math.isnan(found["ensemble-gain-loss"])
    assert math.isnan(found["ensemble-gain-error"])  # a run that errs always is no run to beat
    assert math.isnan(found["gain-error"])


def greedy(world, keys=None):
    reading = world.read(SOUP_GAIN, keys or list(world.runs), SoupGainSettings(ensemble=False))
    return {(value.name, value.split): value.value for value in reading.values}


def test_the_greedy_soup_is_the_one_put_together_by_hand():
    world = linear_models(count=6, outputs=3)
    x, y = world.splits["test"]

    def error(states):
        weight = torch.stack([s["layer.weight"] for s in states]).mean(0)
        bias = torch.stack([s["layer.bias"] for s in states]).mean(0)
        return ((x @ weight.T + bias).argmax(1) != y).double().mean().item()

    runs = sorted(world.runs.values(), key=lambda state: error([state]))
    chosen = [runs[0]]
    for state in runs[1:]:
        if error([*chosen, state]) <= error(chosen):
            chosen.append(state)
    found = greedy(world)
    mean = sum(error([state]) for state in runs) / len(runs)
    assert found["greedy-size", None] == len(chosen)
    assert found["greedy-gain-error", "test"] == pytest.approx(mean - error(chosen))


def test_equal_runs_all_join_the_greedy_soup_and_gain_nothing():
    world = linear_models(count=1, outputs=3)
    same = replace(world, runs={f"r{n}": world.runs["r0"] for n in range(4)})
    found = greedy(same)
    assert found["greedy-size", None] == 4
    assert found["greedy-gain-loss", "ood-far"] == pytest.approx(0)


def test_a_diverged_run_does_not_join_the_greedy_soup():
    world = linear_models(count=3, outputs=3)
    broken = {name: torch.full_like(t, math.nan) for name, t in world.runs["r0"].items()}
    found = greedy(replace(world, runs={**world.runs, "r9": broken}))
    assert found["greedy-size", None] == greedy(world)["greedy-size", None]
    assert greedy(replace(world, runs={"r8": broken, "r9": broken}))["greedy-size", None] == 1
