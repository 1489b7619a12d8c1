"""Which examples each step sees."""

import torch
from torch import Tensor

from harness.compute.streams import generator

POOL = 50
"""Batches out of which examples of like length are put together."""


class Order:
    """Batches of places in the training split, from one order stream per run.

    Each epoch is a new permutation; what is left over at its end and does not fill a batch is
    dropped. A batch larger than the split is the whole split.

    Examples of unequal length are put together by length: of every 50 batches that follow each
    other in the permutation, those of like length come into one batch, and all batches are then
    shuffled. Both are drawn from the same stream.

    Args:
        derived: derived seeds of the order streams, one per run of the stack.
        examples: size of the split.
        device: where the places are wanted.
        stacked: False gives batches [b] (one run), True [runs, b].
        lengths: of the examples, int64 [examples] on the CPU, where they are unequal.
    """

    def __init__(
        self,
        derived: list[int],
        examples: int,
        device: torch.device,
        *,
        stacked: bool,
        lengths: Tensor | None = None,
    ) -> None:
        self._generators = [generator(seed) for seed in derived]
        self._examples = examples
        self._lengths = lengths
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
        whole = steps_per_epoch(self._examples, self._batch) * self._batch
        drawn = []
        for chance in self._generators:
            places = torch.randperm(self._examples, generator=chance)[:whole]
            if self._lengths is not None:
                places = bucketed(places, self._lengths, self._batch, chance)
            drawn.append(places)
        places = (torch.stack(drawn) if self._stacked else drawn[0]).to(self._device)
        return torch.split(places, self._batch, dim=-1)


def bucketed(places: Tensor, lengths: Tensor, batch: int, chance: torch.Generator) -> Tensor:
    """The places in batches of like length, the batches in a drawn order.

    >>> lengths = torch.tensor([9, 1, 8, 2, 9, 1])
    >>> bucketed(torch.arange(6), lengths, 2, torch.Generator().manual_seed(1)).view(-1, 2)
    tensor([[2, 3],
            [1, 5],
            [0, 4]])
    """
    pools = torch.split(places, POOL * batch)
    ordered = [pool[lengths[pool].argsort(descending=True, stable=True)] for pool in pools]
    batches = torch.cat(ordered).view(-1, batch)
    return batches[torch.randperm(len(batches), generator=chance)].reshape(-1)


def steps_per_epoch(examples: int, batch: int) -> int:
    """Full batches in an epoch, at least one.

    >>> steps_per_epoch(100, 32), steps_per_epoch(20, 32)
    (3, 1)
    """
    return max(1, examples // batch)
