"""The way of one module from where it started to where it ended, and noise beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_landscape.straight_line import evenly

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness.api.contexts import Weights

Places = tuple[list[float], list[float]]  # of a grid: alphas, and scales of noise
Noise = dict[str, "Tensor"]


@dataclass(frozen=True)
class Valley:
    """One module of a run (its parameters, by name) on its way, the rest being the run's."""

    final: Weights
    start: Weights
    names: Sequence[str]

    def squared_length(self) -> float:
        """The squared distance that the module travelled."""
        ways = (self.final[name].double() - self.start[name].double() for name in self.names)
        return sum(float(way.square().sum()) for way in ways)

    def at(self, alpha: float, noise: Noise, scale: float) -> Weights:
        """The run with the module a share alpha of its way from the start, and displaced."""
        moved = {
            name: (1 - alpha) * self.start[name] + alpha * self.final[name] + scale * noise[name]
            for name in self.names
        }
        return {**self.final, **moved}

    def noise(self, generator: Generator, draws: int) -> list[Noise]:
        """So many standard normal draws for the module."""
        return [
            {name: _normal(self.final[name], generator) for name in self.names}
            for _ in range(draws)
        ]

    def points(self, places: Places, noise: Sequence[Noise]) -> Iterator[Weights]:
        """Scale by scale, then alpha by alpha, then the draws, each with its mirror image."""
        for sigma in places[1]:
            for alpha in places[0]:
                for drawn in noise:
                    yield self.at(alpha, drawn, sigma)
                    yield self.at(alpha, drawn, -sigma)


def scales(count: int, lowest: float) -> list[float]:
    """Scales of noise from the lowest to 1, evenly on a log scale; of one, the lowest.

    >>> [round(scale, 6) for scale in scales(3, 0.01)]
    [0.01, 0.1, 1.0]
    """
    if count == 1:
        return [lowest]
    return [lowest ** (1 - share) for share in evenly(count)]


def least(
    heights: Sequence[Sequence[float]], places: Places, level: float, squared_length: float
) -> tuple[float, float, float]:
    """The least alpha^2 d^2 / sigma^2 of a cell [sigma][alpha] up to a level, its alpha and sigma.

    Of several that are least, the one with the most noise. Infinite where no cell is low enough,
    and NaN where the level is no number.

    >>> least([[0.9, 0.1], [0.9, 0.3]], ([0.5, 1.0], [0.25, 0.5]), 0.2, 4.0)
    (64.0, 1.0, 0.25)
    >>> least([[0.9, 0.1], [0.9, 0.3]], ([0.5, 1.0], [0.25, 0.5]), 0.4, 4.0)
    (16.0, 1.0, 0.5)
    """
    if math.isnan(level):
        return math.nan, math.nan, math.nan
    cells = [
        (alpha**2 * squared_length / sigma**2, -sigma, alpha)
        for sigma, row in zip(places[1], heights, strict=True)
        for alpha, height in zip(places[0], row, strict=True)
        if height <= level
    ]
    if not cells:
        return math.inf, math.nan, math.nan
    lowest, minus_sigma, alpha = min(cells)
    return lowest, alpha, -minus_sigma


def _normal(like: Tensor, generator: Generator) -> Tensor:
    import torch

    drawn = torch.randn(like.shape, generator=generator, dtype=like.dtype)
    return drawn.to(like.device)
