"""Images as the engine keeps them: uint8 [n, channels, height, width]."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from harness.api.data import Split


def resized(images: Tensor, size: int) -> Tensor:
    """Square images [n, c, size, size] by bilinear interpolation, rounded; as they are if equal."""
    from torch.nn.functional import interpolate

    if images.shape[-2:] == (size, size):
        return images
    smaller = size < images.shape[-1]
    wide = interpolate(
        images.float(), (size, size), mode="bilinear", align_corners=False, antialias=smaller
    )
    return as_bytes(wide)


def as_bytes(images: Tensor) -> Tensor:
    """Values rounded to the nearest of 0..255."""
    import torch

    return images.round().clamp(0, 255).to(torch.uint8)


def split_of(images: Tensor, labels: np.ndarray) -> Split:
    """A split with the one input `image`."""
    import torch

    from harness.api.data import Split

    return Split(inputs={"image": images}, targets=torch.as_tensor(labels, dtype=torch.int64))
