"""Random numbers per example that do not depend on what stands beside it."""

import math

import torch
from torch import Tensor

from harness.compute.hashing import key_of, keyed

_BITS = 24  # what a float32 between 0 and 1 can hold
_BLOCK = 256  # examples at a time: temporary values stay in the processor's cache


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
        size = math.prod(shape)
        parts = [_unit(keys, size).to(torch.float32) for keys in torch.split(self._call(), _BLOCK)]
        return torch.cat(parts).reshape(self.examples, *shape)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal by Box and Muller: float32 [n, *shape]."""
        size = math.prod(shape)
        radii, angles = torch.split(self._call(), _BLOCK), torch.split(self._call(), _BLOCK)
        parts = [_normal(*keys, size) for keys in zip(radii, angles, strict=True)]
        return torch.cat(parts).reshape(self.examples, *shape)

    def permutation(self, size: int) -> Tensor:
        """A permutation of range(size) per example: int64 [n, size]."""
        return torch.argsort(_hash(self._call(), size), dim=1, stable=True)

    def _call(self) -> Tensor:
        keys = keyed(self._keys, self._calls)
        self._calls += 1
        return keys


def _hash(keys: Tensor, size: int) -> Tensor:
    return keyed(keys[:, None], torch.arange(size, device=keys.device))


def _unit(keys: Tensor, size: int) -> Tensor:
    bits = (_hash(keys, size) >> (64 - _BITS)) & ((1 << _BITS) - 1)
    # Apple's devices have no float64; elsewhere it makes the logarithm and the cosine agree.
    wide = torch.float32 if bits.device.type == "mps" else torch.float64
    return bits.to(wide) * 2.0**-_BITS


def _normal(radii: Tensor, angles: Tensor, size: int) -> Tensor:
    radius = torch.sqrt(-2.0 * torch.log1p(-_unit(radii, size)))
    return (radius * torch.cos(2.0 * math.pi * _unit(angles, size))).to(torch.float32)
