"""What the loop asks of a run alone, and of a stack of runs."""

from typing import Protocol

from torch import Tensor

from harness.train.batches import Batch
from harness.train.course import Stretch


class Learner(Protocol):
    """Weights that take steps."""

    def begin(self, stretch: Stretch) -> None:
        """A phase starts: choose what trains, make a new optimizer."""

    def step(self, batch: Batch, step: int, rate: float) -> Tensor:
        """One optimizer step at `rate` times the learning rate; the loss before it, detached."""

    def weights(self) -> list[dict[str, Tensor]]:
        """State dicts of all runs now, copied to the CPU."""
