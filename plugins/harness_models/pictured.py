"""Image classifiers of transformers as networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.api.data import InputSpec
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness_models.blocks import blocks_of, layers_of
from harness_models.brought import Checkpoint
from harness_models.built import again_of, head_of, read_config, with_dropout
from harness_models.explicit import Looking
from harness_models.hub import missing
from harness_models.origins import Place
from harness_models.quiet import quiet

if TYPE_CHECKING:
    from pathlib import Path


_OF_PATCHES = {"beit", "data2vec-vision", "deit", "dinov2", "vit", "vit_msn"}
"""Architectures (`model_type`) whose blocks give [batch, 1 + patches, d], the class token first."""


class ImageClassifier(Looking):
    """Logits [batch, classes] of an image [batch, channels, height, width].

    Where the model wants another size the image is resized, where it wants colour a grey one is
    taken three times.
    """

    def __init__(self, net: Any, shown: list[torch.nn.Module], spec: InputSpec) -> None:
        super().__init__(shown, last=False)
        self.net = net
        size = getattr(net.config, "image_size", spec.shape[1])
        self.size = tuple(size) if isinstance(size, list | tuple) else (size, size)
        self.grey = spec.shape[0] == 1 and getattr(net.config, "num_channels", 1) == 3

    def forward(self, **inputs: Tensor) -> Tensor:
        """Logits of the only input, whatever the data call it."""
        (image,) = inputs.values()
        if self.grey:
            image = image.expand(-1, 3, -1, -1)
        if tuple(image.shape[2:]) != self.size:
            image = F.interpolate(image, self.size, mode="bilinear", align_corners=False)
        self.mask = image
        try:
            logits: Tensor = self.net(pixel_values=image).logits
        finally:
            self.mask = None
        return logits


def vit_config(sizes: Mapping[str, Any]) -> Any:
    """The configuration of a ViT (`Any`: the package carries its types lazily)."""
    try:
        from transformers import ViTConfig
    except ImportError:
        raise missing("transformers") from None
    return ViTConfig(**sizes)


def image_config(folder: Path, dropout: float | None) -> Any:
    """The configuration of a folder."""
    return with_dropout(read_config(folder), dropout)


def image_network(config: Any, classes: int, spec: InputSpec, *, again: bool) -> Network:
    """A classifier for the task, its weights drawn."""
    net = _drawn(config, classes)
    channels = getattr(config, "num_channels", spec.shape[0])
    if spec.shape[0] not in (1, channels):
        message = f"it takes images of {channels} channels, but the data have {spec.shape[0]}"
        raise HarnessError(message, where=f"model {config.model_type!r}")
    body, prefix = getattr(net, net.base_model_prefix), f"net.{net.base_model_prefix}."
    blocks = blocks_of(body, prefix) if config.model_type in _OF_PATCHES else []
    return Network(
        ImageClassifier(net, [block.module for block in blocks], spec),
        head=head_of(net, pooled=False),
        features=tuple(f"blocks.{place}" for place in range(len(blocks))),
        layers=layers_of(body, prefix, blocks),
        recomputed=again_of(blocks, config.model_type, asked=again),
    )


def image_checkpoint(config: Any, place: Place) -> Checkpoint:
    """A checkpoint by the names of `image_network`'s module, and what its head is."""
    with torch.device("meta"):
        head = head_of(_drawn(config, 2), pooled=False)
    return Checkpoint(_classifier, config, place, head)


def _classifier() -> Any:
    from transformers import AutoModelForImageClassification

    return AutoModelForImageClassification


def _drawn(config: Any, classes: int) -> Any:
    config.num_labels = classes
    with quiet():
        try:
            return _classifier().from_config(config, dtype=torch.float32)
        except (ValueError, ImportError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise HarnessError(f"no classifier of images can be made: {reason}") from None
