"""The plane through three points of weight space, in coordinates that measure distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    from torch import Tensor

ROUNDING = 1e-6  # a remainder this small, relative to the distance, is no second direction


@dataclass(frozen=True)
class Plane:
    """origin + x across + y up, [P] each; `across` and `up` have norm 1 and are orthogonal.

    `marks` are the coordinates of the three points that span it: the origin is the first.
    """

    origin: Tensor
    across: Tensor
    up: Tensor
    marks: tuple[tuple[float, float], ...]

    def at(self, x: float, y: float) -> Tensor:
        """A point of the plane [P]."""
        return self.origin + x * self.across + y * self.up


def through(start: Tensor, first: Tensor, second: Tensor) -> Plane:
    """The plane through three points [P]; distances in it are distances between weights.

    >>> import torch
    >>> corners = torch.tensor([[0.0, 0.0, 1.0], [2.0, 0.0, 1.0], [1.0, 3.0, 1.0]])
    >>> through(*corners).marks
    ((0.0, 0.0), (2.0, 0.0), (1.0, 3.0))

    Raises:
        HarnessError: where they lie on one line.
    """
    along = first - start
    width = float(along.norm())
    across = along / width if width else along
    along = second - start
    place = float(along @ across)
    rest = along - place * across
    height = float(rest.norm())
    if not width or height <= ROUNDING * float(along.norm()):
        raise HarnessError(
            "no plane through two runs and their start: the three points lie on one line",
            fix="measure pairs of different runs that were trained from their start",
        )
    return Plane(start, across, rest / height, ((0.0, 0.0), (width, 0.0), (place, height)))
