"""Sequences of unequal length on the device: packed as they are stored, padded batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from harness.api.texts import MASK as MASK
from harness.api.texts import Tokens

ALIGNED = 8
"""Batches are padded to multiples of it off the CPU: matrix units want them. Never beyond the
longest text of all, as a model may have positions for no more."""


@dataclass(frozen=True)
class Packed:
    """Tokens of n examples. `columns` lie on the device, `offsets` [n + 1] on the CPU.

    Lengths are wanted before a batch is made, and asking a GPU for them would wait for it.
    """

    columns: Mapping[str, Tensor]
    offsets: Tensor
    padding: Mapping[str, int] = field(default_factory=dict)
    cut: int = 0

    @staticmethod
    def on(device: torch.device, tokens: Tokens) -> Packed:
        """The tokens, on the device."""
        return Packed(
            columns={name: column.to(device) for name, column in tokens.columns.items()},
            offsets=tokens.offsets,
            padding=tokens.padding,
            cut=tokens.cut,
        )

    @property
    def lengths(self) -> Tensor:
        """Tokens of each example: int64 [n], on the CPU."""
        return self.offsets.diff()

    @cached_property
    def _longest(self) -> int:
        return int(self.lengths.max()) if len(self.lengths) else 0

    @property
    def nbytes(self) -> int:
        """Memory of the tokens."""
        return sum(column.nbytes for column in self.columns.values()) + self.offsets.nbytes

    def padded(self, where: Tensor | slice) -> dict[str, Tensor]:
        """Module inputs of the examples at `where` (a slice, or int64 of any shape [...]).

        Every column and the mask as int64 [..., length], the length that of the longest of them.
        """
        if isinstance(where, slice):
            where = torch.arange(*where.indices(len(self.offsets) - 1))
        places = where.to("cpu")
        starts, lengths = self.offsets[places], self.offsets[places + 1] - self.offsets[places]
        device = next(iter(self.columns.values())).device
        most = max(1, int(lengths.max())) if lengths.numel() else 1
        if device.type != "cpu":
            most = max(most, min(-(-most // ALIGNED) * ALIGNED, self._longest))
        steps = torch.arange(most)
        real = steps < lengths.unsqueeze(-1)
        last = int(self.offsets[-1]) - 1
        at = (starts.unsqueeze(-1) + steps).clamp_(max=max(0, last)).to(device)
        mask = real.to(device)
        inputs = {
            name: torch.where(mask, column[at], self.padding.get(name, 0)).long()
            for name, column in self.columns.items()
        }
        return {**inputs, MASK: mask.long()}


def grid_of(inputs: Mapping[str, Tensor]) -> tuple[int, int] | None:
    """Examples and places of a batch of text [n, length]; None for others."""
    mask = inputs.get(MASK)
    return None if mask is None else (mask.shape[-2], mask.shape[-1])


def by_length(lengths: Tensor) -> Tensor:
    """Places of examples, the longest first and of equals the first: int64 [n]."""
    return lengths.argsort(descending=True, stable=True)


def even_batches(lengths: Tensor, tokens: int) -> Iterator[slice]:
    """Stretches of `lengths` (descending) that take at most so many tokens once padded.

    >>> list(even_batches(torch.tensor([4, 2, 2, 1, 1]), 4))
    [slice(0, 1, None), slice(1, 3, None), slice(3, 5, None)]
    """
    start, total = 0, len(lengths)
    while start < total:
        count = max(1, tokens // max(1, int(lengths[start])))
        yield slice(start, min(total, start + count))
        start += count
