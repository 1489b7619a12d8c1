"""Attention that can be looked into: where a model computes it, and how large its logits are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Attention:
    """A block in which positions look at each other: where its queries and its keys come from.

    `query` and `key` name the modules whose outputs [batch, positions, heads x d] are multiplied:
    the last ones before the product (a norm of the queries, where there is one). Fewer heads of
    keys than of queries are shared evenly. `scale` is the factor of the product, 1 / sqrt(d) unless
    given. `causal` says that a position looks at none after it.
    """

    name: str
    query: str
    key: str
    heads: int
    scale: float | None = None
    causal: bool = False


@dataclass(frozen=True)
class AttentionLogits:
    """Logits z_ij = scale <q_i, k_j> of one block, per example: float64 [n], on the CPU.

    `largest` and `mean` are over heads and over the pairs of positions that may look at each other.
    """

    largest: Tensor
    mean: Tensor
