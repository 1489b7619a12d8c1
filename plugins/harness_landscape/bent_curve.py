"""Curves with one bend between two runs: their points and their length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Probe, Weights

Parts = tuple[float, float, float]
Shape = Callable[[float], Parts]
"""The parts that the start, the bend and the end have in the point at t; they sum to 1."""

PIECES = 1000  # of a curve while its length is taken


@dataclass(frozen=True)
class BentCurve:
    """phi(t) = a w0 + b theta + c w1 for 0 <= t <= 1, with (a, b, c) = shape(t).

    `ends` are the runs' weights w0 and w1, `vectors` w0, theta and w1 as vectors [P].
    """

    ends: tuple[Weights, Weights]
    vectors: tuple[Tensor, Tensor, Tensor]
    shape: Shape

    def vector(self, t: float) -> Tensor:
        """phi(t) as a vector [P]."""
        start, bend, end = self.vectors
        a, b, c = self.shape(t)
        return a * start + b * bend + c * end

    def points(self, times: Sequence[float], probe: Probe) -> Iterator[Weights]:
        """phi(t) as weights, made when asked for; 0 and 1 give the runs themselves.

        Buffers are those of the straight line's point at t.
        """
        for t, straight in zip(times, probe.line(*self.ends, times), strict=True):
            yield straight if t in (0, 1) else probe.at(self.vector(t), straight)

    def pieces(self, times: Sequence[float]) -> list[float]:
        """Lengths of the chords between neighbouring times."""
        return lengths(self.vectors, [self.shape(t) for t in times])

    def length(self) -> float:
        """Length of the curve, as a polygon of many pieces."""
        return sum(self.pieces([number / PIECES for number in range(PIECES + 1)]))

    def chord(self) -> float:
        """Distance between the ends."""
        return self.pieces([0.0, 1.0])[0]


def lengths(vectors: tuple[Tensor, Tensor, Tensor], places: Sequence[Parts]) -> list[float]:
    """Distances between neighbours of points a w0 + b theta + c w1.

    Parts sum to 1, so that a difference of two points is u = theta - w0 and v = w1 - w0, times the
    differences of b and of c: the products of u and v are all that is needed.

    >>> import torch
    >>> right_angle = tuple(torch.tensor(p) for p in ([0.0, 3.0], [0.0, 0.0], [4.0, 0.0]))
    >>> lengths(right_angle, [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 0)])
    [3.0, 4.0, 5.0]
    """
    start, bend, end = (vector.double() for vector in vectors)
    u, v = bend - start, end - start
    uu, uv, vv = float(u @ u), float(u @ v), float(v @ v)
    found = []
    for (_, b0, c0), (_, b1, c1) in pairwise(places):
        b, c = b1 - b0, c1 - c0
        squared = b * b * uu + 2 * b * c * uv + c * c * vv
        found.append(0.0 if squared < 0 else squared**0.5)  # below 0 only by rounding
    return found
