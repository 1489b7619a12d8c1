"""The loss around one point: displacements scaled parameter by parameter, few in memory at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness.api.contexts import Probe, Weights
    from harness.api.looks import Look
    from harness_landscape.sharpness_search import Height

T = TypeVar("T")
NUMBERS_AT_ONCE = 2**24  # 64 MB of points in single precision


@dataclass(frozen=True)
class Around:
    """Points w + T u of one split's loss: `origin` is w [P] and `scale` the diagonal of T [P]."""

    probe: Probe
    weights: Weights
    origin: Tensor
    scale: Tensor
    split: str

    def losses(self, displacements: Iterable[Tensor], look: Look) -> Tensor:
        """Mean loss [k] at w + T u for each u [P]."""
        import torch

        points = (self._at(u) for u in displacements)
        lots = in_lots(points, lot_size(len(self.origin)))
        return torch.cat([self.probe.losses(lot, self.split, look) for lot in lots])

    def height(self, look: Look) -> Height:
        """The map u -> mean loss at w + T u, and its gradient in u, which is T g."""

        def at(u: Tensor) -> tuple[float, Tensor]:
            loss, gradient = self.probe.slope(self._at(u), self.split, look)
            return loss, gradient * self.scale

        return at

    def noise(self, generator: Generator) -> Tensor:
        """A standard normal vector u [P]."""
        import torch

        u = torch.randn(len(self.origin), generator=generator, dtype=self.origin.dtype)
        return u.to(self.origin.device)

    def _at(self, u: Tensor) -> Weights:
        return self.probe.at(self.origin + self.scale * u, self.weights)


def lot_size(parameters: int) -> int:
    """How many points of that many parameters may be in memory at once."""
    return max(1, NUMBERS_AT_ONCE // max(1, parameters))


def in_lots(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`, made when they are asked for.

    >>> list(in_lots(range(5), 2))
    [[0, 1], [2, 3], [4]]
    """
    rest = iter(items)
    while lot := list(islice(rest, size)):
        yield lot
