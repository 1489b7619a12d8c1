"""Files by path: fingerprints of their bytes, and one clear line where a file is missing."""

import functools
import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from harness.api.errors import HarnessError


def fingerprint(paths: Sequence[Path], root: Path | None = None) -> str:
    """`sha256:` and the hash of the files' bytes, with their names relative to `root` if given.

    One file without a root is identified by its bytes alone, so that it may be renamed.
    """
    if len(paths) == 1 and root is None:
        return f"sha256:{digest(paths[0])}"
    listed = sorted((path.relative_to(root).as_posix() if root else "", path) for path in paths)
    lines = [f"{digest(path)} {name}" for name, path in listed]
    return f"sha256:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    stat = must_exist(path).stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4096)  # a suite asks for the same file once per split
def _digest(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
