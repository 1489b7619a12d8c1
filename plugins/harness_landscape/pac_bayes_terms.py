"""Noise around a run, in one of two shapes, and the PAC-Bayes bounds of either."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Probe, Weights

Noise = Literal["plain", "magnitude"]
REST = 10.0  # what the bounds of the papers add for their lower-order terms


@dataclass(frozen=True)
class Cloud:
    """Points w + s z around a run, z standard normal [P], s the standard deviations `scales`.

    `moves` is 1 where a parameter gets noise, else 0. By magnitude s_i^2 = sigma^2 w_i^2 + floor^2.
    """

    probe: Probe
    centre: Weights
    origin: Tensor
    moves: Tensor
    noise: Noise
    floor: float

    def scales(self, sigma: float) -> Tensor:
        """Standard deviations [P] of the noise at a scale: deviations, not variances."""
        if self.noise == "plain":
            return sigma * self.moves
        return self.moves * (sigma**2 * self.origin.square() + self.floor**2).sqrt()

    def points(self, sigma: float, draws: int) -> Iterator[Weights]:
        """Draws w + s z, each followed by w - s z; the same z at every scale."""
        import torch

        generator = self.probe.generator(f"noise:{self.noise}")
        scales = self.scales(sigma)
        for _ in range(draws):
            z = torch.randn(len(self.origin), generator=generator, dtype=self.origin.dtype)
            u = scales * z.to(self.origin.device)
            yield self.probe.at(self.origin + u, self.centre)
            yield self.probe.at(self.origin - u, self.centre)


@dataclass(frozen=True)
class Bound:
    """A bound as a function of sigma: `away` [P] is the run less the centre of the prior.

    Of the parameters that get noise: there is no finite bound for one that gets none.

    `examples` is m, the number of training examples.
    """

    noise: Noise
    away: Tensor
    floor: float
    examples: int

    def __call__(self, sigma: float) -> float:
        """Size over noise, plus log(m / sigma), plus a constant; infinite for no noise."""
        if not sigma:
            return math.inf
        squares = self.away.double().square()
        if self.noise == "plain":
            size = float(squares.sum()) / (4 * sigma**2)
        else:
            floor = self.floor**2
            mean = floor + (sigma**2 + 1) * squares.mean()
            size = float((mean / (floor + sigma**2 * squares)).log().sum()) / 4
        return size + math.log(self.examples / sigma) + REST


def itself(sigma: float) -> float:
    """The scale."""
    return sigma


def flatness(sigma: float) -> float:
    """One over the scale squared."""
    return 1 / sigma**2 if sigma else math.inf
