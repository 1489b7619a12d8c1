"""The definitions of sharpness: which distances, which radii, average or worst."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from harness_landscape.around import Around
from harness_landscape.sharpness_search import Ball, Height, Place, ascend

if TYPE_CHECKING:
    from torch import Generator

    from harness.api.contexts import Probe
    from harness.api.looks import Look

Norm = Literal["l2", "linf"]

RADII: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "average": (0.05, 0.1, 0.2, 0.4),
        "average-adaptive": (0.05, 0.1, 0.2, 0.4),
        "worst-l2": (0.25, 0.5, 1.0, 2.0),
        "worst-l2-adaptive": (0.25, 0.5, 1.0, 2.0),
        "worst-linf": (0.0005, 0.001, 0.002, 0.004),
        "worst-linf-adaptive": (0.001, 0.002, 0.004, 0.008),
        "keskar": (0.0005, 0.001),
    }
)
"""Radii for ResNets on CIFAR-10 (Andriushchenko et al. 2023); Keskar's are of his Table 3."""


@dataclass(frozen=True)
class Kind:
    """A definition: `norm` None is the average over Gaussian noise.

    `shift` is added to |w| where distances are relative to the weights, and None where they are
    not. `relative_rise` is Keskar's 100 rise / (1 + loss).
    """

    sweep: str
    norm: Norm | None
    shift: float | None
    normalised: bool = False
    relative_rise: bool = False

    def around(self, probe: Probe, split: str, parameters: str) -> Around:
        """The landscape in coordinates u in which this definition's ball is round."""
        weights = probe.weights()
        origin = probe.parameters(weights)
        moves = probe.group(parameters).to(origin)  # 1 where a parameter may move
        size = moves if self.shift is None else moves * (origin.abs() + self.shift)
        return Around(probe, weights, origin, size, split)


@dataclass(frozen=True)
class Rise:
    """A mean rise of the loss, over draws of noise or batches of examples."""

    mean: float
    standard_error: float | None


def kind_of(variant: str, eta: float) -> Kind:
    """The definition that a variant's name spells out.

    >>> kind_of("worst-linf-adaptive-normalised", 0.01)
    Kind(sweep='worst-linf-adaptive', norm='linf', shift=0.01, normalised=True, relative_rise=False)
    """
    if variant == "keskar":
        return Kind("keskar", "linf", shift=1.0, relative_rise=True)
    sweep = variant.removesuffix("-normalised")
    norms: dict[str, Norm] = {"l2": "l2", "linf": "linf"}
    return Kind(
        sweep,
        norm=next((norm for word, norm in norms.items() if word in sweep.split("-")), None),
        shift=eta if "adaptive" in sweep else None,
        normalised=sweep != variant,
    )


def average(
    around: Around, look: Look, radii: Sequence[float], draws: int, generator: Generator
) -> list[Rise]:
    """E[L(w + rho T z)] - L(w), z standard normal, for each radius rho: the same z for all.

    Each z comes with -z: a linear loss rises along one as much as it falls along the other, so
    their mean has no first-order noise. The standard error is that of the `draws` such means.
    """
    import torch

    centre = around.losses([torch.zeros_like(around.origin)], look)[0]
    pairs = []
    for _ in range(draws):
        z = around.noise(generator)
        sides = [sign * radius for radius in radii for sign in (1, -1)]
        pairs.append(
            around.losses((side * z for side in sides), look).reshape(len(radii), 2).mean(1)
            - centre
        )
    rises = torch.stack(pairs)  # [draws, radii]
    spreads = rises.std(0) / draws**0.5
    return [
        Rise(mean, spread if math.isfinite(spread) else None)
        for mean, spread in zip(rises.mean(0).tolist(), spreads.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class Search:
    """How the worst case is sought: one ball after another, from the centre."""

    kind: Kind
    radii: Sequence[float]
    iterations: int


def worst(
    around: Around, looks: Sequence[tuple[Look, int]], search: Search, generator: Generator
) -> list[Rise]:
    """Max over the ball of L_B(w + T u) - L_B(w), averaged over batches B, for each radius.

    `looks` come with their numbers of examples, by which they are weighted. The standard error is
    that of a mean over batches, each of which is a draw of examples.
    """
    import torch

    highest = [list(_highest(around, look, search, generator)) for look, _ in looks]
    rises = torch.tensor(highest, dtype=torch.float64)  # [batches, radii]
    shares = torch.tensor([size for _, size in looks], dtype=torch.float64)[:, None]
    shares = shares / shares.sum()
    means = (shares * rises).sum(0)
    if len(looks) == 1:
        return [Rise(mean, None) for mean in means.tolist()]
    spreads = rises.std(0) * shares.square().sum().sqrt()
    return [
        Rise(mean, spread if math.isfinite(spread) else None)
        for mean, spread in zip(means.tolist(), spreads.tolist(), strict=True)
    ]


def _highest(around: Around, look: Look, search: Search, generator: Generator) -> Iterator[float]:
    """The rise of one batch at each radius; a smaller ball's find lies in a larger one too."""
    import torch

    norm = search.kind.norm
    if norm is None:
        raise TypeError("an average has no worst case")
    height = around.height(look)
    origin = torch.zeros_like(around.origin)
    centre = Place(origin, *height(origin))
    best = centre.loss
    for radius in search.radii:
        ball = Ball(norm, radius)
        if math.isfinite(centre.loss):
            flat = not bool(centre.gradient.any())
            start = _aside(around, ball, height, generator) if flat else centre
            found = ascend(height, start, ball, search.iterations)
            best = max(best, start.loss, found.loss)
        rise = best - centre.loss
        yield 100 * rise / (1 + centre.loss) if search.kind.relative_rise else rise


def _aside(around: Around, ball: Ball, height: Height, generator: Generator) -> Place:
    """A random place on the ball: where the loss is flat at the centre, no way leads up."""
    u = ball.steepest(around.noise(generator)) * ball.radius
    return Place(u, *height(u))
