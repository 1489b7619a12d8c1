"""Text as a dataset gives it, and as a model reads it: sequences of unequal length, packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

MASK = "attention_mask"
"""The input that says of each place of a batch whether a token stands there (1) or padding (0)."""


@dataclass(frozen=True)
class Texts:
    """Texts of n examples: one column of strings per field ("premise", "hypothesis").

    The columns are Arrow's, which may lie on disk: no text is a Python object before it is read.
    """

    columns: Mapping[str, pa.ChunkedArray]

    def __len__(self) -> int:
        return min((len(column) for column in self.columns.values()), default=0)

    def taken(self, where: Tensor) -> Texts:
        """The examples at `where`, int64 [k] on the CPU."""
        places = where.numpy()
        return Texts({name: column.take(places) for name, column in self.columns.items()})


@dataclass(frozen=True)
class Tokens:
    """Sequences of unequal length, one behind the other.

    `columns` are named as the module's arguments are ("input_ids", "token_type_ids"), int32
    [total]; example i has the places `offsets[i]` to `offsets[i + 1]` (int64 [n + 1]) in each.
    Batches are filled up with `padding` (0 where it names nothing) and come with an
    "attention_mask" of 1 for tokens and 0 for padding. `cut` counts examples that were truncated.
    """

    columns: Mapping[str, Tensor]
    offsets: Tensor
    padding: Mapping[str, int] = field(default_factory=dict)
    cut: int = 0

    def __len__(self) -> int:
        return len(self.offsets) - 1


class Reader(Protocol):
    """A model's tokenizer. Reading is a function of the texts alone.

    It is made anew in every process that needs it, and only there: what it has read is stored, by
    its fingerprint and that of the data.
    """

    @property
    def fingerprint(self) -> str:
        """Stands for all that decides what is read: vocabulary, rules, truncation."""

    def read(self, texts: Texts) -> Tokens:
        """Tokens of every example, special ones included; fields are joined in their order."""
