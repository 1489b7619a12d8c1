"""How much noise is just too much: the scale at which a mean displacement reaches a target."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

ASIDE = 0.1  # the slope is taken between scales so much smaller and larger, relatively


@dataclass(frozen=True)
class Search:
    """Bisection between 0 and `top`, for at most `depth` steps or to a relative `tolerance`."""

    target: float
    top: float
    depth: int
    tolerance: float


@dataclass(frozen=True)
class Crossing:
    """The scale found, how well it is known, and the mean displacement at every scale tried.

    `bracketed` is False where the target is reached at no scale up to the top, or at all of them.
    """

    sigma: float
    standard_error: float | None
    bracketed: bool
    tried: dict[float, float] = field(default_factory=dict)


def crossing(displacements: Callable[[float], Tensor], search: Search) -> Crossing:
    """The scale sigma at which the mean of displacements(sigma) [draws] crosses the target.

    The same draws, stretched, have to serve at every sigma, so that the mean is a smooth function
    and one bisection finds its crossing. The standard error is that of the mean at the crossing
    over its slope there.

    >>> import torch
    >>> z = torch.tensor([1.0, 2.0])
    >>> found = crossing(lambda sigma: sigma**2 * z, Search(1.5, 4.0, 30, 1e-6))
    >>> round(found.sigma, 4), found.bracketed
    (1.0, True)
    """
    tried: dict[float, float] = {}

    def mean(sigma: float) -> float:
        if sigma not in tried:
            tried[sigma] = float(displacements(sigma).mean())
        return tried[sigma]

    low, high = 0.0, search.top
    if mean(high) <= search.target:
        return Crossing(high, None, bracketed=False, tried=tried)
    for _ in range(search.depth):
        if high - low <= search.tolerance * high:
            break
        middle = (low + high) / 2
        # where the loss is not a number, there was too much noise
        low, high = (middle, high) if mean(middle) <= search.target else (low, middle)
    sigma = (low + high) / 2 if low else 0.0
    if not sigma:
        return Crossing(0.0, None, bracketed=False, tried=tried)
    above, below = ((1 + side * ASIDE) * sigma for side in (1, -1))
    slope = (mean(above) - mean(below)) / (above - below)
    each = displacements(sigma)
    tried[sigma] = float(each.mean())
    spread = float(each.std()) / len(each) ** 0.5
    error = spread / slope if slope > 0 and math.isfinite(spread) else None
    return Crossing(sigma, error, bracketed=True, tried=tried)


def carried(function: Callable[[float], float], found: Crossing) -> float | None:
    """The standard error of a function of the scale, through its slope there."""
    if found.standard_error is None:
        return None
    step = 1e-4 * found.sigma
    slope = (function(found.sigma + step) - function(found.sigma - step)) / (2 * step)
    return abs(slope) * found.standard_error
