"""Means over a segment and over half a normal distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def deviation(losses: Tensor) -> tuple[float, float]:
    """Mean, and mean absolute deviation from it, of a curve that is straight between its points.

    >>> import torch
    >>> deviation(torch.tensor([0.0, 1.0]))
    (0.5, 0.25)
    """
    above = losses - losses[0]  # so that a level curve has no deviation, not even by rounding
    mean = float(losses[0] + (above[:-1] + above[1:]).mean() / 2)
    apart = losses - mean
    first, second = apart[:-1], apart[1:]
    sizes = first.abs() + second.abs()
    crossing = (first.square() + second.square()) / (2 * sizes)
    return mean, float((sizes / 2).where(first * second >= 0, crossing).mean())


def half_normal(count: int) -> tuple[list[float], list[float]]:
    """Gauss quadrature for |nu|, nu standard normal: places and weights.

    Exact for polynomials up to degree 2 count - 1. Lanczos on a fine discretisation of the
    density (Golub and Welsch 1969).

    >>> places, weights = half_normal(3)
    >>> mean_square = sum(w * x**2 for x, w in zip(places, weights, strict=True))
    >>> round(mean_square, 9)
    1.0
    """
    import numpy as np

    places, fine = np.polynomial.legendre.leggauss(100)
    places = 6 * (places + 1)  # up to 12 standard deviations
    fine = fine * np.exp(-(places**2) / 2)
    basis: list[Any] = [np.sqrt(fine / fine.sum())]  # Any: numpy's arrays of a computed type
    for _ in range(count - 1):
        image = places * basis[-1]
        for _ in range(2):
            image = image - sum((image @ vector) * vector for vector in basis)
        basis.append(image / np.linalg.norm(image))
    rows = np.stack(basis)
    nodes, vectors = np.linalg.eigh((rows * places) @ rows.T)
    return nodes.tolist(), (vectors[0] ** 2).tolist()
