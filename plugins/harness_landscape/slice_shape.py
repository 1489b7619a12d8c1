"""Directions of a slice through a landscape, and the shape of the curve along one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness.api.contexts import Probe, Weights

NEAR = 0.25  # the share of the slice that the parabola is fitted to
ROUNDING = 1e-6  # how far a bend may be negative, as a share of the largest loss


def filter_direction(
    probe: Probe, weights: Weights, parameters: str, generator: Generator
) -> Tensor:
    """A Gaussian direction [P] in which every filter has the norm of the weights' own filter.

    A filter is a row of a weight matrix or an output channel of a convolution; a vector is one
    filter. Parameters outside the group do not move (Li et al. 2018, arXiv 1712.09913).
    """
    import torch

    parts = []
    for name in probe.names():
        own = weights[name]
        noise = torch.randn(own.shape, generator=generator, dtype=own.dtype).to(own.device)
        parts.append(_as_long(noise, own).reshape(-1))
    direction = torch.cat(parts)
    return direction * probe.group(parameters).to(direction)


def _as_long(noise: Tensor, own: Tensor) -> Tensor:
    """The noise with each filter scaled to the norm of the weights' filter."""
    import torch

    rows = (len(own), -1) if own.dim() > 1 else (1, -1)
    wanted: Tensor = torch.linalg.vector_norm(own.reshape(rows), dim=1, keepdim=True)
    given: Tensor = torch.linalg.vector_norm(noise.reshape(rows), dim=1, keepdim=True)
    return noise.reshape(rows) * (wanted / given)


def shape(alphas: Sequence[float], losses: Tensor, height: float) -> dict[str, float]:
    """Numbers that describe a curve of losses [k] over alphas around 0.

    `rise` is the largest loss less that at 0; `curvature` the second derivative at 0 of the
    parabola fitted to the inner quarter; `convexity` the share of places that do not bend
    downwards; `width` the length of the interval around 0 in which the loss is at most `height`
    above that at 0, at most the whole slice.

    >>> import torch
    >>> alphas = [-1.0, -0.5, 0.0, 0.5, 1.0]
    >>> found = shape(alphas, 3 * torch.tensor(alphas) ** 2, 0.75)
    >>> {name: round(number, 4) for name, number in found.items()}
    {'rise': 3.0, 'curvature': 6.0, 'convexity': 1.0, 'width': 1.0}
    """
    middle = len(alphas) // 2
    above = (losses - losses[middle]).double()
    reach = max(1, int(NEAR * middle))
    inner = slice(middle - reach, middle + reach + 1)
    finite = bool(above.isfinite().all())
    bends = above[2:] - 2 * above[1:-1] + above[:-2]
    tolerance = ROUNDING * float(losses.abs().max())
    return {
        "rise": float(above.max()),
        "curvature": _bend(alphas[inner], above[inner].tolist()) if finite else float("nan"),
        "convexity": float((bends >= -tolerance).double().mean()) if finite else float("nan"),
        "width": _width(alphas, above.tolist(), height) if finite else float("nan"),
    }


def _bend(places: Sequence[float], heights: Sequence[float]) -> float:
    """Second derivative of the parabola that fits best; the places lie evenly about 0.

    Then only the squares, less their mean, say anything of it; summed so that no digit depends on
    where in memory the numbers lie, as it does with a solver.
    """
    squares = [place**2 for place in places]
    mean = math.fsum(squares) / len(squares)
    about = [square - mean for square in squares]
    products = math.fsum(a * height for a, height in zip(about, heights, strict=True))
    return 2 * products / math.fsum(a**2 for a in about)


def _width(alphas: Sequence[float], above: Sequence[float], height: float) -> float:
    middle = len(alphas) // 2
    right = _reach(alphas[middle:], above[middle:], height)
    left = _reach([-a for a in alphas[middle::-1]], above[middle::-1], height)
    return left + right


def _reach(alphas: Sequence[float], above: Sequence[float], height: float) -> float:
    """The first alpha at which the curve, straight between its points, is at the height."""
    for step in range(1, len(alphas)):
        if above[step] > height:
            share = (height - above[step - 1]) / (above[step] - above[step - 1])
            return alphas[step - 1] + share * (alphas[step] - alphas[step - 1])
    return alphas[-1]
