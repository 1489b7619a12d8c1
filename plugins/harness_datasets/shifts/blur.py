"""Gaussian blur."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.api.offers import Shift
from harness.api.settings import Settings, setting
from harness_datasets.shifts.amounts import Strength, drawn
from harness_datasets.shifts.images import each_image, in_floats

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Draws


class BlurSettings(Settings):
    """How strong."""

    sigma: Strength = setting(
        1.0, "standard deviation of the kernel in pixels, or [low, high] drawn per example"
    )


def apply(
    settings: BlurSettings, inputs: Mapping[str, Tensor], draws: Draws
) -> Mapping[str, Tensor]:
    """Images under a Gaussian kernel cut at 4 sigma; the edge pixels are continued outside."""
    sigma = drawn(settings.sigma, draws)
    most = settings.sigma[1] if isinstance(settings.sigma, tuple) else settings.sigma
    radius = math.ceil(4 * most)

    def smooth(images: Tensor, part: slice) -> Tensor:
        return _rows(_rows(images, sigma[part], radius).mT, sigma[part], radius).mT

    return each_image(inputs, in_floats(smooth))


def _rows(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Each row of float images [n, c, h, w] under its example's kernel [n, 2 radius + 1]."""
    import torch

    n, channels, height, width = images.shape
    at = torch.arange(-radius, radius + 1, device=images.device)
    # With sigma 0 the kernel is 1 at the centre and 0 elsewhere.
    width_of = sigma.to(images).clamp_min(1e-3)[:, None]
    kernels = torch.exp(-0.5 * (at / width_of) ** 2)
    kernels = kernels / kernels.sum(dim=1, keepdim=True)
    column = torch.arange(width, device=images.device)
    source = (column[:, None] + at).clamp(0, width - 1)  # [w, 2 radius + 1]
    matrix = torch.zeros(n, width, width, device=images.device)
    matrix.scatter_add_(2, source.expand(n, -1, -1), kernels[:, None].expand(-1, width, -1))
    rows = images.reshape(n, channels * height, width) @ matrix.mT
    return rows.reshape(n, channels, height, width)


BLUR = Shift(
    name="blur",
    about="Gaussian blur, edge pixels continued outside",
    source="https://arxiv.org/abs/1903.12261",
    settings=BlurSettings,
    kind="blur",
    apply=apply,
)
