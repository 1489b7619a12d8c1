"""The IDX format of MNIST's files: one array, big-endian, often inside gzip."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from harness.api.errors import HarnessError
from harness_datasets.files import must_exist

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> Array:
    """The array in the file, in the machine's byte order."""
    import numpy as np

    try:
        with _open(path) as file:
            shape, kind = _header(file, path)
            body = file.read()
    except (EOFError, OSError, zlib.error) as error:
        raise HarnessError(f"cannot unpack: {error}", where=str(path)) from error
    wanted = math.prod(shape) * np.dtype(kind).itemsize
    if len(body) != wanted:
        raise HarnessError(
            f"the header announces {wanted:,} bytes of data, the file has {len(body):,}",
            where=str(path),
            fix="fetch the file again",
        )
    native = np.dtype(kind).newbyteorder("=")
    return np.frombuffer(body, dtype=kind).reshape(shape).astype(native)


def idx_shape(path: Path) -> tuple[int, ...]:
    """The shape that the header announces; nothing else is read."""
    try:
        with _open(path) as file:
            return _header(file, path)[0]
    except (EOFError, OSError, zlib.error) as error:
        raise HarnessError(f"cannot unpack: {error}", where=str(path)) from error


def _open(path: Path) -> IO[bytes]:
    with must_exist(path).open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")


def _header(file: IO[bytes], path: Path) -> tuple[tuple[int, ...], str]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or not magic[3]:
        raise HarnessError("this is no IDX file (wrong magic number)", where=str(path))
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise HarnessError("the IDX header is cut short", where=str(path))
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    return shape, TYPES[magic[2]]
