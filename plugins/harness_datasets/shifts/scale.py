"""Scaling about the centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import field_validator

from harness.api.offers import Shift
from harness.api.settings import Settings, setting
from harness_datasets.shifts.amounts import Amount, drawn
from harness_datasets.shifts.images import each_image, in_floats, placed, warped

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Draws


class ScaleSettings(Settings):
    """How large."""

    factor: Amount = setting(
        0.7, "size of what is seen: 0.5 halves it, 2 doubles it; or [low, high] drawn per example"
    )

    @field_validator("factor")
    @classmethod
    def _positive(cls, value: float | tuple[float, float]) -> float | tuple[float, float]:
        if (value[0] if isinstance(value, tuple) else value) <= 0:
            raise ValueError("must be above 0")
        return value


def apply(
    settings: ScaleSettings, inputs: Mapping[str, Tensor], draws: Draws
) -> Mapping[str, Tensor]:
    """Images made smaller or larger about their centre, bilinear; what comes in is 0."""
    import torch

    factor = drawn(settings.factor, draws)

    def resize(images: Tensor, part: slice) -> Tensor:
        inverse = 1 / factor[part]
        zero = torch.zeros_like(inverse)
        return warped(images, placed((inverse, zero, zero, inverse), (zero, zero), images))

    return each_image(inputs, in_floats(resize))


SCALE = Shift(
    name="scale",
    about="scaling about the centre, bilinear, 0 outside",
    settings=ScaleSettings,
    kind="scale",
    apply=apply,
)
