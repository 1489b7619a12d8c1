"""Which examples each step sees."""

import torch
from torch import Tensor

from harness.compute.streams import generator


class Order:
    """Batches of places in the training split, from one order stream per run.

    Each epoch is a new permutation; what is left over at its end and does not fill a batch is
    dropped. A batch larger than the split is the whole split.

    Args:
        derived: derived seeds of the order streams, one per run of the stack.
        examples: size of the split.
        device: where the places are wanted.
        stacked: False gives batches [b] (one run), True [runs, b].
    """

    def __init__(
        self, derived: list[int], examples: int, device: torch.device, *, stacked: bool
    ) -> None:
        self._generators = [generator(seed) for seed in derived]
        self._examples = examples
        self._device = device
        self._stacked = stacked
        self._epoch: tuple[Tensor, ...] = ()
        self._next = 0
        self._batch = 0

    def begin(self, batch: int) -> None:
        """A phase starts: from now on batches of this size, from a new permutation."""
        self._batch = min(batch, self._examples)
        self._epoch, self._next = (), 0

    def turn(self, derived: list[int]) -> None:
        """From now on permutations of other streams, beginning with a new one."""
        self._generators = [generator(seed) for seed in derived]
        self._epoch, self._next = (), 0

    def batch(self) -> Tensor:
        """The places of the next batch."""
        if self._next == len(self._epoch):
            self._epoch, self._next = self._permuted(), 0
        self._next += 1
        return self._epoch[self._next - 1]

    def _permuted(self) -> tuple[Tensor, ...]:
        drawn = [torch.randperm(self._examples, generator=g) for g in self._generators]
        places = (torch.stack(drawn) if self._stacked else drawn[0]).to(self._device)
        whole = steps_per_epoch(self._examples, self._batch) * self._batch
        return torch.split(places[..., :whole], self._batch, dim=-1)


def steps_per_epoch(examples: int, batch: int) -> int:
    """Full batches in an epoch, at least one.

    >>> steps_per_epoch(100, 32), steps_per_epoch(20, 32)
    (3, 1)
    """
    return max(1, examples // batch)
