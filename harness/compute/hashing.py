"""Integer hashes on tensors: random numbers that are a function of a counter, on any device.

torch has no unsigned 64-bit arithmetic everywhere, so both hashes run in signed integers, whose
products wrap around as they should; a shift to the right is masked to be a logical one.
"""

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND = 0x94D049BB133111EB - (1 << 64)


def wrap64(number: int) -> int:
    """The number modulo 2^64, as a signed 64-bit integer."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number


def wrap32(number: int) -> int:
    """The number modulo 2^32, as a signed 32-bit integer."""
    number &= (1 << 32) - 1
    return number - (1 << 32) if number >> 31 else number


def mix64(counter: Tensor) -> Tensor:
    """The finaliser of SplitMix64 (Steele et al. 2014) on int64: a bijection without structure.

    >>> mix64(torch.tensor([wrap64(GOLDEN)])).tolist() == [wrap64(0xE220A8397B1DCDAF)]
    True
    """
    z = (counter ^ ((counter >> 30) & ((1 << 34) - 1))) * _FIRST
    z = (z ^ ((z >> 27) & ((1 << 37) - 1))) * _SECOND
    return z ^ ((z >> 31) & ((1 << 33) - 1))


def keyed(key: Tensor, *counters: int | Tensor) -> Tensor:
    """A new key from a key and counters, int64: one round of SplitMix64 per counter."""
    for counter in counters:
        step = wrap64(counter * GOLDEN) if isinstance(counter, int) else counter * wrap64(GOLDEN)
        key = mix64(key + step)
    return key


def key_of(seeds: int | list[int], device: torch.device) -> Tensor:
    """Derived seeds as an int64 tensor on the device: a scalar, or one per member."""
    return mix64(torch.tensor(seeds, dtype=torch.int64, device=device))
