"""Permuting the units of a network: what a symmetry does to weights, and whether it is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.symmetries import Symmetry, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor

    from harness.api.contexts import Probe, Weights

EXAMPLES = 8  # that outputs are compared on
ROUNDING = 2000  # times the precision: what adding numbers in another order may change


@dataclass(frozen=True)
class Units:
    """A symmetry's units: where they lie along each (name, dimension), as indices [units, e]."""

    name: str
    along: tuple[tuple[str, int, Tensor], ...]
    group: int

    @staticmethod
    def of(symmetry: Symmetry, weights: Weights) -> Units:
        """The units in weights of these shapes."""
        import torch

        along = tuple(
            (at.name, at.dimension, torch.tensor(at.entries, device=weights[at.name].device))
            for at in places(symmetry, weights)
        )
        return Units(symmetry.name, along, symmetry.group)

    @property
    def count(self) -> int:
        """How many units there are."""
        return len(self.along[0][2])

    def permuted(self, weights: Weights, order: Tensor) -> dict[str, Tensor]:
        """The weights with unit order[u] in the place of unit u; nothing else is copied."""
        new = dict(weights)
        for name, dimension, entries in self.along:
            tensor = new[name]
            taken = entries[order.to(entries.device)].flatten()
            moved = tensor.index_select(dimension, taken)
            new[name] = tensor.index_copy(dimension, entries.flatten(), moved)
        return new

    def drawn(self, generator: Generator) -> Tensor:
        """A random order [units] that the symmetry allows."""
        import torch

        groups = torch.arange(self.count).reshape(-1, self.group)
        groups = groups[torch.randperm(len(groups), generator=generator)]
        inner = [torch.randperm(self.group, generator=generator) for _ in groups]
        return groups.gather(1, torch.stack(inner)).flatten()


def check(probe: Probe, weights: Weights, symmetries: Sequence[Units]) -> None:
    """Draw an order for every symmetry, one at a time, and compare outputs on a few examples.

    Raises:
        HarnessError: a permuted copy of the network computes another function.
    """
    generator = probe.generator("check")
    for units in symmetries:
        alike(probe, weights, units.permuted(weights, units.drawn(generator)), repr(units.name))


def alike(probe: Probe, weights: Weights, permuted: Weights, symmetry: str) -> None:
    """Compare the outputs of a network with those of a permuted copy.

    Raises:
        HarnessError: they differ by more than rounding.
    """
    import torch

    own, other = probe.logits([weights, permuted], "train", examples=EXAMPLES)
    if not bool(own.isfinite().all()):  # a diverged run's outputs tell nothing
        return
    apart = float((own - other).abs().max())
    if not apart <= ROUNDING * torch.finfo(own.dtype).eps * float(own.abs().max()):
        raise HarnessError(
            f"the model's symmetry {symmetry} is none: permuting its units changes the outputs by "
            f"up to {apart:.2g}",
            fix="mend the model's `symmetries`: an axis may be missing or wrong",
        )
