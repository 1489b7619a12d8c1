"""Search for the largest loss within a ball around a point: projected gradient ascent (APGD)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

MOMENTUM = 0.75  # weight of the new step; and how many steps must rise, as a share
FIRST, SHRINK, SHORTEST = 0.22, 0.03, 0.06  # where the step is reviewed, in shares of the search


@dataclass(frozen=True)
class Ball:
    """All u [P] with ||u|| <= radius, in the Euclidean or the largest-entry norm."""

    norm: Literal["l2", "linf"]
    radius: float

    def project(self, u: Tensor) -> Tensor:
        """The nearest point of the ball."""
        if self.norm == "linf":
            return u.clamp(-self.radius, self.radius)
        length = float(u.norm())
        return u if length <= self.radius else u * (self.radius / length)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction of unit norm in which a linear function rises most; 0 for a zero one."""
        if self.norm == "linf":
            return gradient.sign()
        length = float(gradient.norm())
        return gradient if length == 0 else gradient / length


@dataclass(frozen=True)
class Place:
    """A point u of the ball, the loss there and its gradient in u."""

    u: Tensor
    loss: float
    gradient: Tensor


Height = Callable[["Tensor"], tuple[float, "Tensor"]]


def ascend(height: Height, start: Place, ball: Ball, iterations: int) -> Place:
    """The highest place that APGD meets within the ball (Croce and Hein 2020, arXiv 2003.01690).

    The first step is 2 radius long. At set times the step is halved, and the search goes back to
    the best place so far, if less than three quarters of the steps since the last review rose, or
    if neither the best place nor the step has changed. What it finds is a lower bound of the
    maximum. `height(u)` gives loss and gradient and is called `iterations` times.

    >>> import torch
    >>> g = torch.tensor([3.0, 4.0])
    >>> start = Place(torch.zeros(2), 0.0, g)
    >>> ascend(lambda u: (float(g @ u), g), start, Ball("l2", 0.5), 5).loss
    2.5
    """
    step, reviewed, best_then, step_then, rises = 2 * ball.radius, 0, start.loss, 0.0, 0
    here, before, best = start, start.u, start
    times = reviews(iterations)
    for turn in range(1, iterations + 1):
        ahead = ball.project(here.u + step * ball.steepest(here.gradient))
        if turn > 1:
            drift = MOMENTUM * (ahead - here.u) + (1 - MOMENTUM) * (here.u - before)
            ahead = ball.project(here.u + drift)
        before, there = here.u, Place(ahead, *height(ahead))
        rises += there.loss > here.loss
        here = there
        if here.loss > best.loss:
            best = here
        if not (math.isfinite(here.loss) and bool(here.gradient.isfinite().all())):
            return best
        if turn in times:
            stuck = step == step_then and best.loss == best_then
            step_then, best_then = step, best.loss
            if stuck or rises < MOMENTUM * (turn - reviewed):
                step, here, before = step / 2, best, best.u
            reviewed, rises = turn, 0
    return best


def reviews(iterations: int) -> set[int]:
    """After which iterations the step is reviewed.

    >>> sorted(reviews(20))
    [5, 9, 12, 15, 16, 18, 19, 20]
    """
    shares = [0.0, FIRST]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - SHRINK, SHORTEST))
    return {math.ceil(share * iterations) for share in shares[1:] if share < 1}
