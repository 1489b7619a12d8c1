"""The symmetries of the built-in networks: true ones, and all of those that are claimed."""

import pytest
import torch
from torch import nn

from harness.api.data import InputSpec, Outline, Task
from harness.api.errors import HarnessError
from harness.api.symmetries import Axis, Symmetry
from harness.compute.building import build_network
from harness_landscape.permutations import Units
from harness_models.chain import chain_symmetries
from harness_models.cnn import CNN
from harness_models.mlp import MLP
from harness_models.resnet import RESNET

RESNETS = [
    {"width": width, "norm": norm, "shortcut": shortcut}
    for width in (3, 4, 16)
    for norm in ("batch", "group")
    for shortcut in "AB"
]


def built(model, shape, **settings):
    outline = Outline(Task("classification", tuple("abc")), {"x": InputSpec(shape)}, None, {})
    network = build_network(model, model.settings(**settings), outline, 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():  # no two units alike: biases, scales and statistics too
        for tensor in network.module.state_dict().values():
            if tensor.is_floating_point() and tensor.ndim == 1:
                tensor += 0.2 * torch.rand(tensor.shape, generator=generator)
    network.module.double().eval()
    return network, torch.rand((5, *shape), generator=generator).double() * 2 - 1


def outputs(network, weights, x):
    with torch.no_grad():
        return torch.func.functional_call(network.module, weights, (), {"x": x})


def apart(network, x, symmetry):
    """How far outputs move, relative to their size, where units take other places."""
    own = network.module.state_dict()
    units, generator = Units.of(symmetry, own), torch.Generator().manual_seed(2)
    copies = [units.permuted(own, units.drawn(generator)) for _ in range(3)]
    assert units.count == 1 or any(
        not torch.equal(copy[name], own[name]) for copy in copies for name in own
    )
    plain = outputs(network, own, x)
    size = plain.abs().max()
    return max(float((outputs(network, copy, x) - plain).abs().max() / size) for copy in copies)


@pytest.mark.parametrize(
    ("model", "shape", "settings"),
    [
        *[(MLP, (2, 4), {"hidden": [6, 5], "norm": n}) for n in ("none", "batch", "layer")],
        *[(CNN, (1, 8, 8), {"width": w, "norm": n}) for w in (3, 16) for n in ("group", "batch")],
        *[(RESNET, (1, 8, 8), settings) for settings in RESNETS],
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_declared_symmetry_leaves_the_function_alone(model, shape, settings):
    network, x = built(model, shape, **settings)
    assert network.symmetries
    for symmetry in network.symmetries:
        assert apart(network, x, symmetry) < 1e-9, symmetry.name


def counted(network):
    own = network.module.state_dict()
    return {s.name: (Units.of(s, own).count, s.group) for s in network.symmetries}


def test_every_hidden_unit_of_a_chain_has_its_symmetry():
    mlp, _ = built(MLP, (8,), hidden=[6, 5], dropout=0.1)
    assert counted(mlp) == {"body.1": (6, 1), "body.4": (5, 1)}
    cnn, _ = built(CNN, (1, 8, 8), width=16)
    assert counted(cnn) == {"body.0": (16, 8), "body.4": (32, 8), "body.8": (64, 8)}
    assert built(MLP, (8,), hidden=[])[0].symmetries == ()


def test_a_residual_stream_keeps_its_channels_through_option_a_and_not_through_option_b():
    def streams(**settings):
        found = counted(built(RESNET, (1, 8, 8), **settings)[0])
        return {name: found[name] for name in found if "stage" in name}

    assert streams(shortcut="A") == {"stage 1": (16, 1), "stage 2": (16, 1), "stage 3": (32, 1)}
    assert streams(shortcut="B") == {"stage 1": (16, 1), "stage 2": (32, 1), "stage 3": (64, 1)}
    grouped = streams(shortcut="A", norm="group")
    assert grouped == {"stage 1": (16, 8), "stage 2": (16, 8), "stage 3": (32, 8)}
    uneven = streams(shortcut="A", norm="group", width=4)  # 16 channels in two groups at the end
    assert uneven == {
        "stage 1, part 0": (2, 1), "stage 1, part 1": (2, 1),
        "stage 2, part 0": (2, 1), "stage 2, part 1": (2, 1),
        "stage 3, part 0": (4, 1), "stage 3, part 1": (4, 1),
    }  # fmt: skip


def test_the_units_of_a_resnet_are_all_its_channels():
    for settings in RESNETS:
        network, _ = built(RESNET, (1, 8, 8), **settings)
        width = settings["width"]
        inside = 3 * (width + 2 * width + 4 * width)
        stream = (7 if settings["shortcut"] == "B" else 4) * width
        counts = [count for count, _ in counted(network).values()]
        assert sum(counts) == inside + stream


def test_each_stage_of_option_a_alone_is_no_symmetry():
    network, x = built(RESNET, (1, 8, 8), width=4)
    (first,) = (s for s in network.symmetries if s.name == "stage 1")
    own = [axis for axis in first.axes if axis.at == (0, 1, 2, 3)]
    assert 0 < len(own) < len(first.axes)  # the rest lies in the middle of later stages
    assert apart(network, x, Symmetry("cut off", tuple(own))) > 1e-3


def test_a_flattened_channel_takes_a_column_for_every_place():
    layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)]
    found = chain_symmetries(nn.Sequential(*layers).named_children())
    assert found[0].axes[-1] == Axis("4.weight", 1, repeat=16)
    assert {axis.name for axis in found[0].axes[:-1]} == {
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
    }  # fmt: skip


def test_layers_that_are_not_known_are_refused_by_name():
    for odd in (nn.PReLU(4), nn.Conv2d(4, 4, 3, groups=2), nn.LayerNorm((4, 6, 6))):
        layers = nn.Sequential(nn.Conv2d(1, 4, 3), odd, nn.Conv2d(4, 2, 3))
        with pytest.raises(HarnessError, match="'1'"):
            chain_symmetries(layers.named_children())
