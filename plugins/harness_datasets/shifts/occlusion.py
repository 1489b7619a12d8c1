"""Occlusion by a square."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.api.offers import Shift
from harness.api.settings import Settings, setting
from harness_datasets.shifts.images import each_image

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Draws


class OcclusionSettings(Settings):
    """How much is hidden, and by what."""

    size: float = setting(
        0.4, "side of the square as a share of the image's shorter side", gt=0, le=1
    )
    value: int = setting(0, "grey of the square, 0 to 255", ge=0, le=255)


def apply(
    settings: OcclusionSettings, inputs: Mapping[str, Tensor], draws: Draws
) -> Mapping[str, Tensor]:
    """Images with one square painted over, wholly inside, at a place drawn per example."""
    import torch

    where = draws.uniform(2)

    def hide(images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        side = max(1, round(settings.size * min(height, width)))
        room = torch.tensor([height - side + 1, width - side + 1], device=where.device)
        corner = (where * room).floor().to(images.device)
        top, left = corner[:, :1], corner[:, 1:]
        row = torch.arange(height, device=images.device)
        column = torch.arange(width, device=images.device)
        rows = (row >= top) & (row < top + side)
        columns = (column >= left) & (column < left + side)
        hidden = (rows[:, :, None] & columns[:, None, :])[:, None]
        return images.masked_fill(hidden, settings.value)

    return each_image(inputs, hide)


OCCLUSION = Shift(
    name="occlusion",
    about="a square of one grey over a place drawn per example",
    source="https://arxiv.org/abs/1708.04552",
    settings=OcclusionSettings,
    kind="occlusion",
    apply=apply,
)
