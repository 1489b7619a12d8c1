"""Random numbers per example that do not depend on what stands beside it."""

import math

import torch
from torch import Tensor

from harness.compute.hashing import key_of, keyed

_BITS = 24  # what a float32 between 0 and 1 can hold


class HashDraws:
    """`Draws` from a counter-based hash of (stream, example, call, position).

    Example i gets the same numbers in every batch, pack and process, on every device (normal draws
    to the last bit of a float32).

    Args:
        stream: a derived seed, or an int64 tensor of keys: a scalar, or one per example.
        examples: int64 [n], the examples' places in their split.
    """

    def __init__(self, stream: int | Tensor, examples: Tensor) -> None:
        self._examples = examples
        key = stream if isinstance(stream, Tensor) else key_of(stream, examples.device)
        self._keys = keyed(key, examples)
        self._calls = 0

    @property
    def examples(self) -> int:
        """Number of examples."""
        return len(self._examples)

    def uniform(self, *shape: int) -> Tensor:
        """Uniform on [0, 1): float32 [n, *shape]."""
        return self._unit(shape).to(torch.float32)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal by Box and Muller: float32 [n, *shape]."""
        radius = torch.sqrt(-2.0 * torch.log1p(-self._unit(shape)))
        return (radius * torch.cos(2.0 * math.pi * self._unit(shape))).to(torch.float32)

    def permutation(self, size: int) -> Tensor:
        """A permutation of range(size) per example: int64 [n, size]."""
        return torch.argsort(self._hash((size,)), dim=1, stable=True)

    def _hash(self, shape: tuple[int, ...]) -> Tensor:
        call = keyed(self._keys, self._calls)
        self._calls += 1
        position = torch.arange(math.prod(shape), device=call.device)
        return keyed(call[:, None], position).reshape(self.examples, *shape)

    def _unit(self, shape: tuple[int, ...]) -> Tensor:
        bits = (self._hash(shape) >> (64 - _BITS)) & ((1 << _BITS) - 1)
        # Apple's devices have no float64; elsewhere it makes the logarithm and the cosine agree.
        wide = torch.float32 if bits.device.type == "mps" else torch.float64
        return bits.to(wide) * 2.0**-_BITS
