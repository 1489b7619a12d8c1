"""A small convolutional network."""

from __future__ import annotations

from typing import Literal

from harness.api.contexts import BuildRoom
from harness.api.networks import Network
from harness.api.offers import Model
from harness.api.settings import Settings, setting
from harness_models.inputs import only_image


class CnnSettings(Settings):
    """Width and norm."""

    width: int = setting(
        16, "channels of the first layer; the next have 2 and 4 times as many", ge=1
    )
    norm: Literal["group", "batch"] = setting(
        "group", "after each convolution", source="https://arxiv.org/abs/1803.08494"
    )
    dropout: float = setting(
        0.0, "share of features dropped before the head in training", ge=0.0, lt=1.0,
        source="https://jmlr.org/papers/v15/srivastava14a.html",
    )  # fmt: skip


def build(settings: CnnSettings, room: BuildRoom) -> Network:
    """Three 3 x 3 convolutions, halved in size between them, mean over places, linear head.

    torch's own initialisation. For images from 4 x 4 pixels: meant for 8 x 8 to 32 x 32.
    """
    from torch import nn

    from harness_models.chain import chain_symmetries
    from harness_models.modules import OneInput, image_norm

    channels = only_image(room, "cnn", smallest=4).shape[0]
    layers: list[nn.Module] = []
    for stage in range(3):
        width = settings.width * 2**stage
        if stage > 0:
            layers.append(nn.MaxPool2d(2))
        layers += [
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            image_norm(settings.norm, width),
            nn.ReLU(),
        ]
        channels = width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if settings.dropout > 0.0:
        layers.append(nn.Dropout(settings.dropout))
    head = nn.Linear(channels, len(room.task.classes))
    module = OneInput(nn.Sequential(*layers), head)
    return Network(
        module,
        head=("head.",),
        features=("body",),
        symmetries=chain_symmetries(module.named_children()),
    )


CNN = Model(
    name="cnn",
    about="three convolutions and a linear head, for small images",
    settings=CnnSettings,
    build=build,
    inputs=("image",),
    lacks=("attention",),
)
