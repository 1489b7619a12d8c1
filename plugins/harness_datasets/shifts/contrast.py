"""Contrast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.api.offers import Shift
from harness.api.settings import Settings, setting
from harness_datasets.shifts.amounts import Strength, drawn
from harness_datasets.shifts.images import each_image, in_floats

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Draws


class ContrastSettings(Settings):
    """How much is left."""

    factor: Strength = setting(
        0.4, "distances from the mean are multiplied by it; or [low, high] drawn per example"
    )


def apply(
    settings: ContrastSettings, inputs: Mapping[str, Tensor], draws: Draws
) -> Mapping[str, Tensor]:
    """Distances from the mean of the image, per channel, times the factor; clipped."""
    factor = drawn(settings.factor, draws)

    def change(images: Tensor, part: slice) -> Tensor:
        mean = images.mean(dim=(2, 3), keepdim=True)
        return mean + factor[part].to(images)[:, None, None, None] * (images - mean)

    return each_image(inputs, in_floats(change))


CONTRAST = Shift(
    name="contrast",
    about="contrast about the image's mean per channel",
    source="https://arxiv.org/abs/1903.12261",
    settings=ContrastSettings,
    kind="contrast",
    apply=apply,
)
