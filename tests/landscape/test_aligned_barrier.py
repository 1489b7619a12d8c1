import math

import pytest
import torch
from torch import nn

from harness.api.data import InputSpec, Outline, Task
from harness.api.errors import HarnessError
from harness.api.symmetries import Symmetry
from harness.compute.building import build_network
from harness.testing.scenes import World
from harness_landscape.aligned_barrier import ALIGNED_BARRIER, AlignedBarrierSettings
from harness_landscape.barrier import BARRIER, BarrierSettings
from harness_landscape.distance import DISTANCE
from harness_landscape.permutations import Units
from harness_landscape.weight_matching import Search
from harness_models.chain import chain_symmetries
from harness_models.cnn import CNN
from harness_models.mlp import MLP
from harness_models.resnet import RESNET

BARRIERS = [f"{kind}-{what}" for kind in ("lerp", "frankle") for what in ("loss", "error")]


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split in (split, None)}


def varied(module, seed):
    """Weights of a network: all its numbers drawn, batch-norm statistics among them."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for name, tensor in module.state_dict().items():
        noise = torch.randn(tensor.shape, generator=generator)
        fan = math.prod(tensor.shape[1:])
        if not tensor.is_floating_point():
            found[name] = tensor
        elif tensor.ndim > 1:
            found[name] = noise * (2 / fan) ** 0.5
        else:
            found[name] = tensor + 0.1 * noise.abs()
    return found


def world(module, symmetries, shape, *, classes=4, count=60):
    """Run "a", run "b" that is a permuted copy of it, an unrelated run "c"."""
    a, generator = varied(module, 1), torch.Generator().manual_seed(7)
    x = torch.randn(count, *shape, generator=generator)
    data = {"train": (x, torch.zeros(count, dtype=torch.int64))}
    a = dict(World(module, data, {"a": a}).probe("a").recalibrated([a])[0])
    with torch.no_grad():  # the run is right everywhere: a barrier is a fall from there
        logits = torch.func.functional_call(module.eval(), a, (), {"x": x})
    a[list(a)[-1]] -= logits.mean(0)  # every class is somewhere the likeliest
    y = (logits - logits.mean(0)).argmax(1)
    b = a
    for symmetry in symmetries:
        units = Units.of(symmetry, a)
        b = units.permuted(b, units.drawn(generator))
    runs = {"a": a, "b": b, "c": varied(module, 3)}
    return World(module, {"train": (x, y), "test": (x, y)}, runs, symmetries=tuple(symmetries))


def built(model, shape, **settings):
    outline = Outline(Task("classification", tuple("abcd")), {"x": InputSpec(shape)}, None, {})
    network = build_network(model, model.settings(**settings), outline, 0)
    return world(network.module, network.symmetries, shape)


@pytest.mark.parametrize(
    ("model", "shape", "settings"),
    [
        (MLP, (16,), {"hidden": [20, 20]}),
        (MLP, (16,), {"hidden": [20, 20, 20], "norm": "batch"}),
        (MLP, (16,), {"hidden": [20, 20], "norm": "layer", "activation": "tanh"}),
        (CNN, (1, 8, 8), {"width": 16}),
        (CNN, (1, 8, 8), {"width": 8, "norm": "batch"}),
        (RESNET, (1, 8, 8), {"width": 8, "norm": "batch", "shortcut": "A"}),
        (RESNET, (1, 8, 8), {"width": 8, "norm": "batch", "shortcut": "B"}),
        (RESNET, (1, 8, 8), {"width": 16, "norm": "group", "shortcut": "A"}),
        (RESNET, (1, 8, 8), {"width": 8, "norm": "group", "shortcut": "B"}),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_permuted_copy_is_recovered_exactly_and_its_barrier_vanishes(model, shape, settings):
    scene = built(model, shape, **settings)
    found = values(scene.read(ALIGNED_BARRIER, "ab", AlignedBarrierSettings(points=3, restarts=2)))
    plain = values(scene.read(BARRIER, "ab", BarrierSettings(points=3)))
    assert (found["l2-aligned"], found["lerp-error"]) == (0.0, 0.0)
    assert found["lerp-loss"] == pytest.approx(0, abs=1e-5)
    assert found["l2-unaligned"] > 1
    assert plain["lerp-error"] > 0.05
    assert found["moved"] > 0.5


class Flattened(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(54, 4)
        )

    def forward(self, x):
        return super().forward(x)


def test_channels_that_are_flattened_before_a_linear_layer_are_recovered():
    module = Flattened()
    scene = world(module, chain_symmetries(module.named_children()), (1, 8, 8))
    found = values(scene.read(ALIGNED_BARRIER, "ab"))
    assert (found["l2-aligned"], found["lerp-error"]) == (0.0, 0.0)
    assert found["sweeps"] == 1


def mlp(**settings):
    return built(MLP, (16,), hidden=[20, 20], **settings)


def test_the_values_are_those_of_the_barrier_to_the_aligned_run():
    scene = built(MLP, (16,), hidden=[20], norm="batch")  # one layer: there is one best order
    found = values(scene.read(ALIGNED_BARRIER, "ac"))
    a, c = scene.runs["a"], scene.runs["c"]
    units = tuple(Units.of(symmetry, c) for symmetry in scene.symmetries)
    names = scene.probe("a").names()
    d = Search(a, c, tuple(names), units, torch.Generator()).best(1, 100).weights
    aligned = World(scene.module, scene.splits, {"a": a, "d": d})
    expected = values(aligned.read(BARRIER, "ad"))
    for name in BARRIERS:
        assert found[name] == pytest.approx(expected[name], abs=1e-5)
    assert expected["lerp-error"] > 0
    distances = values(aligned.read(DISTANCE, "ad")), values(scene.read(DISTANCE, "ac"))
    assert found["l2-aligned"] == pytest.approx(distances[0]["l2"])
    assert found["l2-unaligned"] == pytest.approx(distances[1]["l2"])
    assert found["l2-aligned"] < found["l2-unaligned"]


def test_neither_the_order_of_the_runs_nor_that_of_their_units_matters():
    scene = built(MLP, (16,), hidden=[20])
    there, back = (values(scene.read(ALIGNED_BARRIER, pair)) for pair in ("ac", "ca"))
    other = values(scene.read(ALIGNED_BARRIER, "bc"))  # run b is run a in another order
    names = [*BARRIERS, "l2-aligned"]
    for found in (back, other):
        assert [found[n] for n in names] == pytest.approx([there[n] for n in names], abs=1e-5)
    assert other["l2-unaligned"] != pytest.approx(there["l2-unaligned"], rel=1e-3)


def test_a_reading_is_the_same_again():
    first, second = (mlp().read(ALIGNED_BARRIER, "ac") for _ in range(2))
    assert first.values == second.values


def test_the_barriers_without_alignment_come_on_request_and_are_those_of_barrier():
    scene = mlp()
    found = values(scene.read(ALIGNED_BARRIER, "ac", AlignedBarrierSettings(unaligned=True)))
    plain = values(scene.read(BARRIER, "ac"))
    for name in BARRIERS:
        assert found[f"unaligned-{name}"] == plain[name]
    assert "unaligned-lerp-loss" not in values(scene.read(ALIGNED_BARRIER, "ac"))


def test_running_statistics_go_along_with_their_channels():
    settings = AlignedBarrierSettings(recalibrate="never")
    found = values(mlp(norm="batch").read(ALIGNED_BARRIER, "ab", settings))
    assert found["lerp-error"] == 0.0
    assert found["lerp-loss"] == pytest.approx(0, abs=1e-5)


def test_a_run_beside_itself_stays_as_it_is():
    found = values(mlp().read(ALIGNED_BARRIER, "aa"))
    assert [found[name] for name in ("moved", "sweeps", "l2-aligned", "lerp-loss")] == [0.0] * 4


def test_a_model_without_symmetries_is_refused_in_one_line():
    scene = mlp()
    plain = World(scene.module, scene.splits, scene.runs)
    with pytest.raises(HarnessError, match="declares no symmetries") as refused:
        plain.read(ALIGNED_BARRIER, "ab")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("axes", [1, 2])
def test_a_symmetry_that_changes_the_function_is_refused_by_name(axes):
    scene = mlp()
    right, other = scene.symmetries
    wrong = Symmetry("half of it", right.axes[:axes])
    odd = World(scene.module, scene.splits, scene.runs, symmetries=(other, wrong))
    with pytest.raises(HarnessError, match="symmetry 'half of it' is none"):
        odd.read(ALIGNED_BARRIER, "ab")


def test_a_forgotten_buffer_is_noticed_too():
    scene = mlp(norm="batch")
    first, *others = scene.symmetries
    axes = tuple(axis for axis in first.axes if "running_mean" not in axis[0])
    odd = World(
        scene.module, scene.splits, scene.runs, symmetries=(Symmetry("forgot", axes), *others)
    )
    with pytest.raises(HarnessError, match="symmetry 'forgot' is none"):
        odd.read(ALIGNED_BARRIER, "ab")


def test_two_symmetries_of_one_name_are_refused():
    scene = mlp()
    twice = World(scene.module, scene.splits, scene.runs, symmetries=scene.symmetries[:1] * 2)
    with pytest.raises(HarnessError, match="two symmetries named"):
        twice.probe("a").symmetries()


def test_a_diverged_run_gives_no_number_and_no_exception():
    scene = mlp()
    scene.runs["b"]["head.weight"].fill_(math.nan)
    reading = scene.read(ALIGNED_BARRIER, "ab")
    found = values(reading)
    assert all(math.isnan(found[name]) for name in ("lerp-loss", "l2-aligned", "moved"))
    assert not reading.converged


def test_a_run_whose_outputs_alone_diverged_gives_no_number_and_no_exception():
    scene = mlp(norm="batch")
    scene.runs["b"]["body.2.running_mean"].fill_(math.nan)
    settings = AlignedBarrierSettings(recalibrate="never")
    assert math.isnan(values(scene.read(ALIGNED_BARRIER, "ab", settings))["lerp-loss"])


def test_a_pass_costs_what_the_card_says():
    cost = mlp().read(ALIGNED_BARRIER, "ac").cost
    # 9 points and 2 runs on 60; the run, its copy per symmetry and all together on 8
    assert cost.forward == (9 + 2) * 60 + (1 + 2 + 1) * 8


def test_stacked_or_not_the_reading_is_the_same():
    scene = mlp(norm="batch")
    stacked = World(
        scene.module, scene.splits, scene.runs, symmetries=scene.symmetries, stacked=True
    )
    alone, together = (values(each.read(ALIGNED_BARRIER, "ac")) for each in (scene, stacked))
    assert together == pytest.approx(alone, rel=1e-4, abs=1e-5)


def test_double_precision_is_checked_as_strictly():
    scene = mlp(norm="layer")
    wide = {key: {n: t.double() for n, t in run.items()} for key, run in scene.runs.items()}
    x, y = scene.splits["test"]
    found = values(
        World(
            scene.module.double(), {"train": (x, y), "test": (x, y)}, wide,
            symmetries=scene.symmetries,
        ).read(ALIGNED_BARRIER, "ab")
    )  # fmt: skip
    assert found["l2-aligned"] == 0.0
    assert found["lerp-loss"] == pytest.approx(0, abs=1e-13)
