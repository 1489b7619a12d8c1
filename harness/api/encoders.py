"""Symmetries of standard transformer blocks, found by the names of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.symmetries import Axis, Symmetry

if TYPE_CHECKING:
    from torch import Tensor

    Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class EncoderNames:
    """How a block's parameters are called, after the block's own prefix.

    A `{}` stands for "weight" and "bias"; a bias may be absent. Give `query`, `key` and `value`,
    or `fused` for one layer that holds the three in this order. `norms` are the block's norms over
    the residual stream. Weights are [out, in], or [in, out] where `transposed` (Conv1D of GPT-2).
    """

    output: str
    up: str
    down: str
    query: str = ""
    key: str = ""
    value: str = ""
    fused: str = ""
    norms: tuple[str, ...] = ()
    transposed: bool = False


BERT_NAMES = EncoderNames(
    query="attention.self.query.{}",
    key="attention.self.key.{}",
    value="attention.self.value.{}",
    output="attention.output.dense.{}",
    up="intermediate.dense.{}",
    down="output.dense.{}",
    norms=("attention.output.LayerNorm.{}", "output.LayerNorm.{}"),
)
"""BERT, RoBERTa and ELECTRA in transformers."""

TORCH_NAMES = EncoderNames(
    fused="self_attn.in_proj_{}",
    output="self_attn.out_proj.{}",
    up="linear1.{}",
    down="linear2.{}",
    norms=("norm1.{}", "norm2.{}"),
)
"""`torch.nn.TransformerEncoderLayer`."""


def encoder_symmetries(
    weights: Weights,
    names: EncoderNames,
    *,
    heads: int,
    stream: Sequence[Axis | tuple[str, int]] = (),
) -> tuple[Symmetry, ...]:
    """Of every block the heads, as blocks of entries, and the units of its feed-forward layer.

    `weights` are those of the module (`module.state_dict()`): only their names and shapes count.
    Blocks are found by their first attention layer, whatever stands before it in its name. Every
    head must have its own keys and values. Rotations within a head are left alone.

    `stream` adds the order of the residual stream, shared by all blocks: it must name every axis
    *outside* the blocks along which the stream lies (embeddings and their norm, a final norm, what
    reads the features); those inside are known.

    Raises:
        HarnessError: no block has such names, or one lacks a weight, or the heads do not fit.
    """
    blocks = list(_blocks(weights, names.fused or names.query))
    if not blocks:
        raise HarnessError(f"no parameter is named like {names.fused or names.query!r}")
    found: list[Symmetry] = []
    along = [Axis(*axis) for axis in stream]
    for prefix in blocks:
        block = _Block(prefix, names, weights)
        found += [block.heads(heads), block.units()]
        along += block.stream() if stream else []
    return (*found, Symmetry("stream", tuple(along))) if stream else tuple(found)


def _blocks(weights: Weights, pattern: str) -> Iterator[str]:
    """What stands before the pattern, dot included, in the order of the weights."""
    last = pattern.format("weight")
    for name in weights:
        if name == last or name.endswith(f".{last}"):
            yield name.removesuffix(last)


@dataclass(frozen=True)
class _Block:
    prefix: str
    names: EncoderNames
    weights: Weights

    def heads(self, count: int) -> Symmetry:
        """Rows of queries, keys and values, columns of the layer after them."""
        names = self.names
        makers = (names.fused,) if names.fused else (names.query, names.key, names.value)
        inner = self._size(names.output, self._in)
        if inner % count:
            raise HarnessError(f"{inner} entries of {self.prefix!r} are no {count} heads")
        size = inner // count
        axes: list[Axis] = []
        for maker in makers:
            rows = self._size(maker, self._out)
            if rows != inner * (3 if names.fused else 1):
                raise HarnessError(
                    f"{self.prefix + maker!r} has {rows} outputs for {count} heads of {size}",
                    fix="heads that share keys and values are not known here",
                )
            for start in range(0, rows, inner):
                at = tuple(range(start, start + inner, size))
                axes += [axis._replace(at=at) for axis in self._made(maker)]
        axes.append(Axis(self._weight(names.output), self._in))
        return Symmetry(f"{self.prefix}heads", tuple(axes), block=size)

    def units(self) -> Symmetry:
        """Rows of the first, columns of the second feed-forward layer."""
        axes = (*self._made(self.names.up), Axis(self._weight(self.names.down), self._in))
        return Symmetry(f"{self.prefix}units", axes)

    def stream(self) -> list[Axis]:
        """What the block reads from the stream, adds to it and normalises it by."""
        names = self.names
        readers = (names.fused or names.query, names.key, names.value, names.up)
        axes = [Axis(self._weight(reader), self._in) for reader in readers if reader]
        for adder in (names.output, names.down):
            axes += self._made(adder)
        return axes + [axis for norm in names.norms for axis in self._vectors(norm)]

    @property
    def _out(self) -> int:
        return 1 if self.names.transposed else 0

    @property
    def _in(self) -> int:
        return 1 - self._out

    def _weight(self, pattern: str) -> str:
        name = self.prefix + pattern.format("weight")
        if name not in self.weights:
            raise HarnessError(f"no parameter {name!r} in a block that has {self.prefix!r}")
        return name

    def _size(self, pattern: str, dimension: int) -> int:
        return int(self.weights[self._weight(pattern)].shape[dimension])

    def _made(self, pattern: str) -> list[Axis]:
        """A layer's outputs: its weight's and, where it has one, its bias's."""
        bias = [axis for axis in self._vectors(pattern) if axis.name.endswith("bias")]
        return [Axis(self._weight(pattern), self._out), *bias]

    def _vectors(self, pattern: str) -> list[Axis]:
        named = (self.prefix + pattern.format(part) for part in ("weight", "bias"))
        return [Axis(name, 0) for name in named if name in self.weights]
