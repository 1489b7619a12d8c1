"""What is built per batch of examples, and kept for the next time as far as memory goes."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from harness.measure.data import Batch, Sample
from harness.measure.ledger import Ledger
from harness.measure.scene import Budget

T = TypeVar("T")

GRAPH = 3  # a graph that can be differentiated again holds about so many times the activations


class Chunks(Generic[T]):
    """One thing per batch, in order: of all examples at once where its graph fits the budget.

    Otherwise of as many as fit the budget of a batch; those of the first batches are kept within
    the budget for graphs, the others made anew each time.
    """

    def __init__(
        self, sample: Sample, budget: Budget, bytes_each: int, make: Callable[[Batch], T]
    ) -> None:
        self._sample = sample
        self._make = make
        graph = bytes_each * GRAPH
        whole = sample.size * graph <= budget.graph
        self._at_once = sample.size if whole else max(1, budget.batch // bytes_each)
        keep = budget.graph // (self._at_once * graph)
        self._keep = min(keep, -(-sample.size // self._at_once))
        self.bytes = min(sample.size, self._keep * self._at_once) * graph
        self._kept: list[T] = []

    def each(self, ledger: Ledger) -> Iterator[T]:
        """The things of all batches; what is made anew costs a gradient."""
        for number, batch in enumerate(self._sample.batches(self._at_once)):
            if number < len(self._kept):
                yield self._kept[number]
                continue
            ledger.gradient(batch.size)
            made = self._make(batch)
            if number < self._keep:
                self._kept.append(made)
            yield made
            del made  # before the next is made

    @property
    def kept(self) -> list[T] | None:
        """All of them, if they are here."""
        complete = len(self._kept) * self._at_once >= self._sample.size
        return self._kept if complete else None
