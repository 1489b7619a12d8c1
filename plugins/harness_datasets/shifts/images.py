"""What all image shifts share: which inputs they change, and how they move pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 4096  # images that are floats at the same time


def each_image(
    inputs: Mapping[str, Tensor], change: Callable[[Tensor], Tensor]
) -> Mapping[str, Tensor]:
    """The inputs with `change` applied to every uint8 [n, c, h, w] among them."""
    import torch

    changed = {
        name: change(value) if value.dtype == torch.uint8 and value.ndim == 4 else value
        for name, value in inputs.items()
    }
    if all(changed[name] is inputs[name] for name in inputs):
        raise HarnessError("an image shift needs an image input (uint8, 4 dimensions)")
    return changed


def in_floats(change: Callable[[Tensor, slice], Tensor]) -> Callable[[Tensor], Tensor]:
    """A change of bytes from a change of floats in 0..255, rounded, a chunk at a time.

    `change` also gets the slice of examples that it is working on, for its draws.
    """

    def run(images: Tensor) -> Tensor:
        import torch

        changed = torch.empty_like(images)
        for start in range(0, len(images), CHUNK):
            part = slice(start, start + CHUNK)
            changed[part] = change(images[part].float(), part).round_().clamp_(0, 255)
        return changed

    return run


def placed(
    linear: tuple[Tensor, Tensor, Tensor, Tensor], moved: tuple[Tensor, Tensor], like: Tensor
) -> Tensor:
    """Matrices for `warped` from a map in pixels about the centre (x right, y down).

    With `linear` (a, b, c, d) and `moved` (right, down), all [n], what is at (x, y) in the result
    comes from (a x' + b y', c x' + d y') where x' = x - right and y' = y - down.
    """
    import torch

    a, b, c, d = linear
    height, width = like.shape[-2:]
    right, down = moved
    rows = [
        a,
        b * (height / width),
        -(a * right + b * down) * (2 / width),
        c * (width / height),
        d,
        -(c * right + d * down) * (2 / height),
    ]
    return torch.stack(rows, dim=1).reshape(-1, 2, 3)


def warped(images: Tensor, matrices: Tensor) -> Tensor:
    """Float images resampled bilinearly; outside lies 0, the darkest value.

    `matrices` [n, 2, 3] take a place in the result to its place in the image; both run from -1 to
    1 between the outer edges of the outer pixels (x to the right, y down).
    """
    from torch.nn.functional import affine_grid, grid_sample

    grid = affine_grid(matrices.to(images), list(images.shape), align_corners=False)
    return grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
