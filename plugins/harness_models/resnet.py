"""The residual networks that He et al. (2016) made for CIFAR-10."""

from __future__ import annotations

from typing import Literal

from harness.api.contexts import BuildRoom
from harness.api.networks import Network
from harness.api.offers import Model
from harness.api.settings import Settings, setting
from harness_models.inputs import only_image

PAPER = "https://arxiv.org/abs/1512.03385"


class ResnetSettings(Settings):
    """Depth, norm and shortcuts."""

    depth: Literal[20, 32, 44] = setting(20, "layers: 6n + 2", source=PAPER)
    width: int = setting(16, "channels of the first stage", source=PAPER, ge=1)
    norm: Literal["batch", "group"] = setting("batch", "after each convolution", source=PAPER)
    shortcut: Literal["A", "B"] = setting(
        "A", "where the size changes: A pads with zeros, B projects by a 1 x 1 convolution",
        source=PAPER,
    )  # fmt: skip


def build(settings: ResnetSettings, room: BuildRoom) -> Network:
    """A 3 x 3 convolution, three stages of n blocks, mean over places, linear head.

    He initialisation (normal, fan-in). ResNet-20 has 0.27 M parameters on CIFAR-10.
    """
    from torch import nn

    from harness_models.modules import OneInput
    from harness_models.residual import residual_body
    from harness_models.residual_symmetries import residual_symmetries

    channels = only_image(room, "resnet", smallest=8).shape[0]
    blocks, project = (settings.depth - 2) // 6, settings.shortcut == "B"
    body = residual_body(
        channels=channels,
        blocks=blocks,
        width=settings.width,
        norm=settings.norm,
        project=project,
    )
    module = OneInput(body, nn.Linear(4 * settings.width, len(room.task.classes)))
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return Network(
        module,
        head=("head.",),
        features=("body",),
        symmetries=residual_symmetries(body, blocks=blocks, project=project),
    )


RESNET = Model(
    name="resnet",
    about="ResNet-20, -32 or -44 as made for CIFAR",
    source=PAPER,
    settings=ResnetSettings,
    build=build,
    inputs=("image",),
    lacks=("attention",),
)
