"""Memory that nothing uses any more, given back at once where it is much."""

import ctypes
import gc
import sys
from collections.abc import Iterable

from torch import Tensor

MUCH = 64 * 1024**2
"""Bytes from which on it is worth a look at all of Python's objects (a tenth of a second)."""


def let_go(dropped: int) -> None:
    """Give memory back after so many bytes were dropped; nothing where they are few.

    A module often stands in a circle (its hooks hold it), so that it goes only when Python looks
    for such; and the C library keeps what is freed in pieces, where large tensors find no room.
    """
    if dropped < MUCH:
        return
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Memory of tensors.

    >>> import torch
    >>> bytes_of([torch.zeros(10), torch.zeros(2, dtype=torch.int64)])
    56
    """
    return sum(tensor.nbytes for tensor in tensors)
