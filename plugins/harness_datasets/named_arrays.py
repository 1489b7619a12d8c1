"""Arrays by name: those of one npz file, or the npy and IDX files of a folder."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.api.errors import HarnessError
from harness_datasets.files import located
from harness_datasets.idx import idx_shape, read_idx

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

T = TypeVar("T")


def arrays_at(path: Path) -> dict[str, Path]:
    """The names of the arrays at a path, each with the file that holds it.

    A file's name is its array's name, without `.npy` and `.gz`.
    """
    path = located(path)
    if path.is_dir():
        found = {_name(file): file for file in sorted(path.iterdir()) if _is_array(file)}
        if not found:
            raise HarnessError("no npy or IDX file in this folder", where=str(path))
        return found
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy"): path for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise HarnessError(f"this is no npz file: {error}", where=str(path)) from error


def read_array(path: Path, name: str) -> Array:
    """One array; text and numbers only, never pickled objects."""
    import numpy as np

    file = _file(path, name)
    if file.suffix == ".npz" or zipfile.is_zipfile(file):
        return _loaded(file, lambda: np.asarray(np.load(file, allow_pickle=False)[name]))
    if _is_npy(file):
        return _loaded(file, lambda: np.asarray(np.load(file, allow_pickle=False)))
    return read_idx(file)


def array_shape(path: Path, name: str) -> tuple[int, ...]:
    """The shape of one array, from its header alone."""
    import numpy as np

    file = _file(path, name)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as member:
            version = np.lib.format.read_magic(member)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else None
            read = read or np.lib.format.read_array_header_2_0
            return _loaded(file, lambda: tuple(read(member)[0]))
    if _is_npy(file):
        return _loaded(file, lambda: tuple(np.load(file, mmap_mode="r").shape))
    return idx_shape(file)


def _file(path: Path, name: str) -> Path:
    found = arrays_at(path)
    if name not in found:
        raise HarnessError(
            f"no array {name!r}, only {', '.join(sorted(found))}", where=str(located(path))
        )
    return found[name]


def _loaded(file: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise HarnessError(f"cannot read: {error}", where=str(file)) from error


def _is_npy(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(6) == b"\x93NUMPY"


def _is_array(file: Path) -> bool:
    plain = file.name.removesuffix(".gz")
    return file.is_file() and plain.endswith((".npy", "ubyte", ".idx"))


def _name(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(".npy").removesuffix(".idx")
