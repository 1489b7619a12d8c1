"""Orthonormal vectors of a Krylov space, as many as memory is given for."""

from collections.abc import Callable
from math import ceil

import torch
from torch import Tensor

BLOCK = 2**26  # bytes that are allocated, or combined, at a time
TWICE = 0.7  # Gram-Schmidt runs again where it left less than so much of a vector


class Basis:
    """The first `room` vectors of R^n that were added (None: all of them), and the last two.

    What is orthogonal to the first ones stays so; against those in between nothing is done.
    """

    def __init__(self, like: Tensor, room: int | None = None) -> None:
        self._like = like  # an empty tensor [0, n] of the type and on the device wanted
        self._room = room
        self._blocks: list[Tensor] = []
        self._tail: list[Tensor] = []
        self.count = 0
        self.kept = 0

    @property
    def size(self) -> int:
        """Dimension n."""
        return self._like.shape[1]

    @property
    def bytes(self) -> int:
        """Memory that the vectors take."""
        return sum(part.nbytes for part in (*self._blocks, *self._tail))

    def row(self, place: int) -> Tensor:
        """A vector [n] that was kept."""
        return self._rows(self.kept)[place // self._high][place % self._high]

    def last(self) -> Tensor:
        """The vector [n] that was added last."""
        return self._tail[-1] if self._tail else self.row(self.kept - 1)

    def before_last(self) -> Tensor:
        """The vector [n] before that."""
        if len(self._tail) == 2:
            return self._tail[0]
        return self.row(self.kept - 1 if self._tail else self.kept - 2)

    def add(self, vector: Tensor) -> None:
        """One more vector [n]; copied, where it is kept among the first."""
        self.count += 1
        if self._room is not None and self.kept == self._room:
            self._tail = [*self._tail[-1:], vector]
            return
        if self.kept == sum(len(block) for block in self._blocks):
            left = self._high if self._room is None else min(self._high, self._room - self.kept)
            self._blocks.append(self._like.new_empty(left, self.size))
        self.kept += 1
        self.row(self.kept - 1).copy_(vector)

    def along(self, vector: Tensor, first: int | None = None) -> Tensor:
        """Coordinates [m] of a vector in the first m kept ones (all of them by default)."""
        rows = self._rows(self.kept if first is None else first)
        return torch.cat([self._like.new_empty(0), *(block @ vector for block in rows)])

    def combined(self, weights: Tensor) -> Tensor:
        """The combination [n] of the first m kept vectors with weights [m]."""
        total = self._like.new_zeros(self.size)
        weights, start = weights.to(self._like), 0
        for block in self._rows(len(weights)):
            total += weights[start : start + len(block)] @ block
            start += len(block)
        return total

    def recombined(self, weights: Tensor, into: "Basis") -> None:
        """The combinations with weights [k, m] as the vectors of another basis, or its own.

        Some columns at a time, so that the vectors never stand in memory twice.
        """
        weights = weights.to(self._like)
        rows = self._rows(weights.shape[1])
        if into is not self:
            into.clear()
            for _ in range(len(weights)):
                into.add(self._like.new_zeros(()).expand(self.size))
        columns = max(1, BLOCK // (self._like.element_size() * sum(weights.shape)))
        for start in range(0, self.size, columns):
            some = weights @ torch.cat([block[:, start : start + columns] for block in rows])
            for place in range(len(weights)):
                into.row(place)[start : start + columns] = some[place]
        into.kept = into.count = len(weights)
        into._tail = []

    def clear(self) -> None:
        """No vectors; their memory stays for others."""
        self.kept = self.count = 0
        self._tail = []

    def orthogonal(self, vector: Tensor) -> Tensor:
        """The part of a vector [n] outside the span of those that are here."""
        before, norm = float("inf"), float(vector.norm())
        for _ in range(3):
            if norm >= TWICE * before or self.count == 0:
                break
            vector = vector - self.combined(self.along(vector))
            for late in self._tail:
                vector -= (late @ vector) * late
            before, norm = norm, float(vector.norm())
        return vector

    def fresh(self, draw: Callable[[int], Tensor]) -> Tensor:
        """A random unit vector [n] orthogonal to those that are here."""
        vector = draw(self.size).to(self._like)
        vector = self.orthogonal(vector / float(vector.norm()))
        return vector / float(vector.norm())

    @property
    def _high(self) -> int:
        row = self._like.element_size() * self.size
        return max(1, min(16, BLOCK // max(1, row)))

    def _rows(self, count: int) -> list[Tensor]:
        """The first vectors, block by block."""
        blocks = self._blocks[: ceil(count / self._high)]
        ends = [min(len(block), count - n * self._high) for n, block in enumerate(blocks)]
        return [block[:end] for block, end in zip(blocks, ends, strict=True)]
