"""Rotation about the centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.api.offers import Shift
from harness.api.settings import Settings, setting
from harness_datasets.shifts.amounts import Amount, drawn
from harness_datasets.shifts.images import each_image, in_floats, placed, warped

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Draws


class RotationSettings(Settings):
    """How far."""

    degrees: Amount = setting(
        30.0, "degrees counter-clockwise, or [low, high] for a uniform draw per example"
    )


def apply(
    settings: RotationSettings, inputs: Mapping[str, Tensor], draws: Draws
) -> Mapping[str, Tensor]:
    """Images turned about their centre, bilinear; corners that come in are 0."""
    import torch

    degrees = drawn(settings.degrees, draws)
    quarter = (degrees / 90).round()
    # Sines of multiples of 90 degrees come out as 1e-7: a right angle must be exact.
    right = (degrees - 90 * quarter).abs() < 1e-4
    angle = torch.deg2rad(degrees)
    cos, sin = torch.cos(angle), torch.sin(angle)
    cos, sin = torch.where(right, cos.round(), cos), torch.where(right, sin.round(), sin)

    def turn(images: Tensor, part: slice) -> Tensor:
        c, s, zero = cos[part], sin[part], torch.zeros_like(cos[part])
        return warped(images, placed((c, -s, s, c), (zero, zero), images))

    return each_image(inputs, in_floats(turn))


ROTATION = Shift(
    name="rotation",
    about="rotation about the centre, bilinear, 0 outside",
    source="https://arxiv.org/abs/1903.12261",
    settings=RotationSettings,
    kind="rotation",
    apply=apply,
)
