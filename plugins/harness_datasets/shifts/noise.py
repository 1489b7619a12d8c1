"""Gaussian noise per pixel."""

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


class NoiseSettings(Settings):
    """How strong."""

    sd: Strength = setting(
        0.2, "standard deviation where black is 0 and white 1, or [low, high] drawn per example"
    )


def apply(
    settings: NoiseSettings, inputs: Mapping[str, Tensor], draws: Draws
) -> Mapping[str, Tensor]:
    """Images plus Gaussian noise, clipped to the range of a pixel."""
    sd = drawn(settings.sd, draws) * 255

    def change(images: Tensor) -> Tensor:
        noise = draws.normal(*images.shape[1:])

        def add(floats: Tensor, part: slice) -> Tensor:
            return floats + (noise[part] * sd[part].to(noise.device)[:, None, None, None]).to(
                floats
            )

        return in_floats(add)(images)

    return each_image(inputs, change)


NOISE = Shift(
    name="noise",
    about="Gaussian noise per pixel and channel, clipped to 0..1",
    source="https://arxiv.org/abs/1903.12261",
    settings=NoiseSettings,
    kind="noise",
    apply=apply,
)
