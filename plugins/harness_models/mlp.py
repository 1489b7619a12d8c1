"""A multi-layer perceptron."""

from __future__ import annotations

import math
from typing import Literal

from harness.api.contexts import BuildRoom
from harness.api.networks import Network
from harness.api.offers import Model
from harness.api.settings import Settings, setting
from harness_models.inputs import only_input

NORMS = Literal["none", "batch", "layer"]


class MlpSettings(Settings):
    """Sizes and what stands between the layers."""

    hidden: tuple[int, ...] = setting((128, 128), "units of each hidden layer")
    activation: Literal["relu", "gelu", "tanh"] = setting("relu", "between layers")
    norm: NORMS = setting("none", "before each activation")
    dropout: float = setting(
        0.0, "share of hidden units dropped in training", ge=0.0, lt=1.0,
        source="https://jmlr.org/papers/v15/srivastava14a.html",
    )  # fmt: skip


def build(settings: MlpSettings, room: BuildRoom) -> Network:
    """Flatten, hidden layers, linear head; torch's own initialisation of `nn.Linear`."""
    from torch import nn

    from harness_models.chain import chain_symmetries
    from harness_models.modules import OneInput

    activations = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}
    norms = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
    size = math.prod(only_input(room, "mlp").shape)
    layers: list[nn.Module] = [nn.Flatten()]
    for width in settings.hidden:
        layers.append(nn.Linear(size, width))
        if settings.norm != "none":
            layers.append(norms[settings.norm](width))
        layers.append(activations[settings.activation]())
        if settings.dropout > 0.0:
            layers.append(nn.Dropout(settings.dropout))
        size = width
    head = nn.Linear(size, len(room.task.classes))
    module = OneInput(nn.Sequential(*layers), head)
    return Network(
        module,
        head=("head.",),
        features=("body",),
        symmetries=chain_symmetries(module.named_children()),
    )


MLP = Model(
    name="mlp",
    about="fully connected layers on the flattened input",
    settings=MlpSettings,
    build=build,
    lacks=("attention",),
)
