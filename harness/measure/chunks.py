"""What is built per batch of examples, and kept for the next time as far as memory goes."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Generic, TypeVar

from harness.measure.data import Batch, Sample
from harness.measure.ledger import Ledger
from harness.measure.scene import Budget

T = TypeVar("T")

GRAPH = 3  # a graph that can be differentiated again holds at most so many times the activations
SLACK = 1.25  # what is not counted: small tensors, and what is in use for a moment


class Chunks(Generic[T]):
    """One thing per batch, in order: of all examples at once where its graph fits the budget.

    Otherwise of as many as fit the budget of a batch; those of the first batches are kept within
    the budget for graphs, the others made anew each time.
    """

    def __init__(
        self,
        sample: Sample,
        budget: Budget,
        bytes_each: int,
        make: Callable[[Batch], T],
        graph_each: Callable[[], int],
    ) -> None:
        self._sample = sample
        self._make = make
        self._bytes_each = bytes_each
        self._budget = budget
        self._graph_each = graph_each
        self._kept: list[T] = []
        self._complete = False

    @cached_property
    def _each(self) -> int:
        """Bytes of an example's graph: a bound, or measured where it matters."""
        bound = self._bytes_each * GRAPH
        if self._sample.bulk * bound <= self._budget.graph or not self._budget.graph:
            return bound
        return min(bound, max(1, int(SLACK * self._graph_each())))

    @cached_property
    def _at_once(self) -> int:
        if self._sample.size * self._each <= self._budget.graph:
            return self._sample.size
        return max(1, self._budget.batch // self._bytes_each)

    @cached_property
    def _keep(self) -> int:
        fit = self._budget.graph // (self._at_once * self._each)
        return min(fit, -(-self._sample.bulk // self._at_once))

    @property
    def bytes(self) -> int:
        """Memory of what is kept, or will be."""
        return min(self._sample.bulk, self._keep * self._at_once) * self._each

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
        self._complete = len(self._kept) == number + 1

    @property
    def kept(self) -> list[T] | None:
        """All of them, if they are here."""
        return self._kept if self._complete else None
