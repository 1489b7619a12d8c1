"""Points on a straight line between two others, made tensor by tensor when they are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from harness.api.contexts import Weights
from harness.api.errors import HarnessError


class Ends:
    """The ends of a line, and which of its tensors hold more than finite numbers."""

    def __init__(self, start: Weights, end: Weights) -> None:
        self.start = start
        self.end = end

    @cached_property
    def unbounded(self) -> frozenset[str]:
        """Names of tensors with infinities (or sums so large) at the start."""
        floats = {name: t for name, t in self.start.items() if t.is_floating_point()}
        return frozenset(name for name, t in floats.items() if not bool(t.sum().isfinite()))


class Between(Mapping[str, Tensor]):
    """(1 - alpha) start + alpha end, never held as a whole: a path costs no memory.

    Integers (batch counters, position ids) have no midpoint: they are the nearer end's, the
    start's at one half.
    """

    def __init__(self, ends: Ends, alpha: float) -> None:
        self._ends = ends
        self._alpha = alpha

    def __getitem__(self, name: str) -> Tensor:
        start, end = self._ends.start[name], self._ends.end[name]
        if start.is_floating_point():
            mixed = torch.lerp(start, end, self._alpha)
            if name in self._ends.unbounded:
                # An attention mask is -inf at both ends, and between -inf and -inf lies NaN.
                mixed = torch.where(start == end, start, mixed)
            return mixed
        return start if self._alpha <= 0.5 else end

    def __iter__(self) -> Iterator[str]:
        return iter(self._ends.start)

    def __len__(self) -> int:
        return len(self._ends.start)


class Overlaid(Mapping[str, Tensor]):
    """Weights with some (few) tensors in place of their own; copies, so that these stay as made."""

    def __init__(self, weights: Weights, tensors: Weights) -> None:
        self._weights = weights
        self._tensors = tensors

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name].clone() if name in self._tensors else self._weights[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


def line(start: Weights, end: Weights, alphas: Sequence[float]) -> list[Weights]:
    """Points (1 - alpha) start + alpha end; 0 and 1 give the end points themselves.

    >>> ends = {"w": torch.tensor([0.0])}, {"w": torch.tensor([4.0])}
    >>> [point["w"].item() for point in line(*ends, [0.0, 0.25, 1.0])]
    [0.0, 1.0, 4.0]

    Raises:
        HarnessError: where the ends are weights of different networks.
    """
    _check(start, end)
    ends = Ends(start, end)
    return [_between(ends, alpha) for alpha in alphas]


def _between(ends: Ends, alpha: float) -> Weights:
    if alpha == 0:
        return ends.start
    return ends.end if alpha == 1 else Between(ends, alpha)


def _check(start: Weights, end: Weights) -> None:
    for name in sorted(start.keys() | end.keys()):
        shapes = [tuple(ends[name].shape) if name in ends else None for ends in (start, end)]
        if shapes[0] != shapes[1]:
            raise HarnessError(
                f"no line between weights of different networks: {name!r} has shapes "
                f"{shapes[0]} and {shapes[1]}",
                fix="measure pairs of runs of one model",
            )
