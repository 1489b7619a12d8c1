"""Vision transformers: one from a configuration, and any classifier of images by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from harness.api.contexts import BuildRoom
from harness.api.data import DataRoom, InputSpec
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.api.offers import Model, Pretrained
from harness.api.settings import Settings, setting
from harness_models.checkpoints import (
    CheckpointSettings,
    description_of,
    hash_of_description,
    source_of,
)
from harness_models.fetching import downloads
from harness_models.inputs import only_image
from harness_models.origins import Place

if TYPE_CHECKING:
    from torch import Tensor

    from harness_models.brought import Checkpoint

DOSOVITSKIY = "https://arxiv.org/abs/2010.11929"


class VitSettings(Settings):
    """Sizes: by default 1.2 million parameters, for small images."""

    patch: int = setting(4, "height and width of a patch, in pixels", ge=1)
    layers: int = setting(6, "blocks", ge=1)
    width: int = setting(128, "units of the residual stream", ge=4)
    heads: int = setting(4, "attention heads of a block", ge=1)
    hidden: int = setting(0, "units of the feed-forward layer; 4 times the width by default", ge=0)
    dropout: float = setting(0.0, "every dropout rate", ge=0.0, lt=1.0)
    attention: Literal["sdpa", "eager"] = setting("sdpa", "how attention is computed")


class ImageSettings(CheckpointSettings):
    """Which model, and how it runs."""

    dropout: float | None = setting(
        None, "every dropout rate of the model; its configuration's own by default", ge=0.0, lt=1.0
    )
    gradient_checkpointing: bool = setting(
        False, "compute blocks again in the backward pass, for less memory", identity=False
    )


def build_vit(settings: VitSettings, room: BuildRoom) -> Network:
    """Patches, blocks, and a linear head on the first token, after a norm."""
    spec = only_image(room, "vit", smallest=settings.patch)
    channels, height, width = spec.shape
    if height != width or height % settings.patch:
        raise HarnessError(
            f"images of {height} x {width} pixels cannot be cut into patches of {settings.patch}",
            where="model 'vit'",
        )
    if settings.width % settings.heads:
        message = f"a width of {settings.width} cannot be shared by {settings.heads} heads"
        raise HarnessError(message, where="model 'vit'")
    from harness_models.pictured import image_network, vit_config

    sizes = {
        "image_size": height,
        "num_channels": channels,
        "patch_size": settings.patch,
        "num_hidden_layers": settings.layers,
        "hidden_size": settings.width,
        "num_attention_heads": settings.heads,
        "intermediate_size": settings.hidden or 4 * settings.width,
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.dropout,
        "attn_implementation": settings.attention,
    }
    return image_network(vit_config(sizes), len(room.task.classes), spec, again=False)


def build_image(settings: ImageSettings, room: BuildRoom) -> Network:
    """The architecture of the checkpoint with the classes of the task; all weights are drawn."""
    from harness_models.pictured import image_config, image_network

    spec: InputSpec = only_image(room, "image-transformer", smallest=1)
    config = image_config(description_of(settings), settings.dropout)
    classes = len(room.task.classes)
    return image_network(config, classes, spec, again=settings.gradient_checkpointing)


def fingerprint(settings: ImageSettings) -> str:
    """Configuration."""
    return hash_of_description(description_of(settings))


def load(settings: ImageSettings, name: str, room: DataRoom) -> Mapping[str, Tensor]:
    """The checkpoint's weights without a head."""
    from harness_models.brought import brought

    return brought(_checkpoint(settings, name, room), offline=room.offline)


def check(settings: ImageSettings, name: str, room: DataRoom) -> None:
    """Raise where the checkpoint's weights do not fill the model."""
    from harness_models.brought import check_fit

    check_fit(_checkpoint(settings, name, room))


def _checkpoint(settings: ImageSettings, name: str, room: DataRoom) -> Checkpoint:
    from harness_models.pictured import image_checkpoint, image_config

    config: Any = image_config(description_of(settings, offline=room.offline), settings.dropout)
    return image_checkpoint(config, Place.read(name))


VIT = Model(
    name="vit",
    about="a vision transformer from its sizes, for small images",
    settings=VitSettings,
    source=DOSOVITSKIY,
    build=build_vit,
    inputs=("image",),
    lacks=("attention", "symmetries"),
)

IMAGE_TRANSFORMER = Model(
    name="image-transformer",
    about="an image classifier of transformers, from the hub or a folder",
    settings=ImageSettings,
    source="https://arxiv.org/abs/1910.03771",
    build=build_image,
    fingerprint=fingerprint,
    pretrained=Pretrained(source=source_of, load=load, check=check),
    downloads=downloads,
    inputs=("image",),
    lacks=("attention", "symmetries"),
)
