"""Translation by whole or part pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from harness.api.offers import Shift
from harness.api.settings import Settings, setting
from harness_datasets.shifts.amounts import Strength, drawn
from harness_datasets.shifts.images import each_image, in_floats, placed, warped

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Draws


class TranslationSettings(Settings):
    """How far and whereto."""

    pixels: Strength = setting(2.0, "distance in pixels, or [low, high] drawn per example")
    direction: Literal["any", "axis", "left", "right", "up", "down"] = setting(
        "axis", "`axis` draws one of the four sides per example, `any` an angle"
    )


def apply(
    settings: TranslationSettings, inputs: Mapping[str, Tensor], draws: Draws
) -> Mapping[str, Tensor]:
    """Images moved; what comes in is 0. Whole pixels along an axis are exact."""
    import torch

    distance = drawn(settings.pixels, draws)
    if settings.direction in ("any", "axis"):
        turns = draws.uniform().to(distance)
        if settings.direction == "axis":
            turns = (turns * 4).floor() / 4
    else:
        turn = {"right": 0.0, "up": 0.25, "left": 0.5, "down": 0.75}[settings.direction]
        turns = torch.full_like(distance, turn)
    angle = 2 * torch.pi * turns
    right, down = distance * torch.cos(angle), -distance * torch.sin(angle)
    if settings.direction != "any":  # cosines of right angles come out as 1e-8, not 0
        along = ((turns * 4).round() % 2) == 0
        right, down = torch.where(along, right, 0.0), torch.where(along, 0.0, down)

    def move(images: Tensor, part: slice) -> Tensor:
        one, zero = torch.ones_like(right[part]), torch.zeros_like(right[part])
        return warped(images, placed((one, zero, zero, one), (right[part], down[part]), images))

    return each_image(inputs, in_floats(move))


TRANSLATION = Shift(
    name="translation",
    about="translation by a distance in pixels, bilinear, 0 outside",
    settings=TranslationSettings,
    kind="translation",
    apply=apply,
)
