"""Inversion of light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.api.offers import Shift
from harness.api.settings import NoSettings
from harness_datasets.shifts.images import each_image

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Draws


def apply(
    _settings: NoSettings, inputs: Mapping[str, Tensor], _draws: Draws
) -> Mapping[str, Tensor]:
    """255 - x per pixel."""
    return each_image(inputs, lambda images: 255 - images)


INVERSION = Shift(
    name="inversion", about="light and dark change places", kind="inversion", apply=apply
)
