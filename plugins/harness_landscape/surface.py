"""Loss and error at many points on several splits, few points in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_landscape.around import in_lots, lot_size

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Probe, Weights


@dataclass(frozen=True)
class Surface:
    """Mean loss and error rate at k points [k] of one split, over so many examples."""

    loss: Tensor
    error: Tensor
    examples: int

    def rows(self, width: int) -> dict[str, list[list[float]]]:
        """Both, as rows of so many points."""
        whole = {"loss": self.loss, "error": self.error}
        return {name: heights.reshape(-1, width).tolist() for name, heights in whole.items()}


@dataclass(frozen=True)
class Ground:
    """Where a surface is evaluated: the same examples of some splits.

    `ready` is done to points before they are evaluated, as when batch norm is to be recalibrated.
    """

    probe: Probe
    splits: Sequence[str]
    examples: int | None
    ready: Callable[[Sequence[Weights]], Sequence[Weights]] = list

    def surfaces(self, points: Iterable[Weights], parameters: int) -> dict[str, Surface]:
        """A surface for each split; `parameters` is the length P of the points' vectors."""
        import torch

        parts: dict[str, list[Surface]] = {split: [] for split in self.splits}
        for lot in in_lots(points, lot_size(parameters)):
            made = self.ready(lot)
            for split in self.splits:
                found = self.probe.evaluate(made, split, examples=self.examples)
                parts[split].append(Surface(found.loss, found.error, found.examples))
        return {
            split: Surface(
                torch.cat([part.loss for part in some]),
                torch.cat([part.error for part in some]),
                some[0].examples,
            )
            for split, some in parts.items()
        }
