"""Writing so that nothing is ever half there, and saying plainly what a disk refuses."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.api.errors import HarnessError


def refusal(error: OSError, path: Path | str, option: str = "--store") -> HarnessError:
    """What to tell the user of an error of the file system at `path`, which `option` chooses."""
    elsewhere = f"or choose another place with {option}"
    path = error.filename or path
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return HarnessError(
                f"no space left to write {path}",
                fix=f"free some (`seedscape gc` shows what a store holds) {elsewhere}",
            )
        case errno.EFBIG:
            return HarnessError(
                f"{path} grew larger than a file may be here",
                fix=f"lift the limit (`ulimit -f`) {elsewhere}",
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            reason = "is on a read-only disk" if error.errno == errno.EROFS else "is not yours"
            return HarnessError(
                f"{path} {reason} to read or write ({error.strerror})",
                fix=f"change its permissions {elsewhere}",
            )
        case errno.ENOTDIR | errno.EEXIST:
            return HarnessError(
                f"{_file_on_the_way(path)} is a file where a folder is needed",
                fix=f"move it away {elsewhere}",
            )
        case errno.EMFILE | errno.ENFILE:
            return HarnessError(
                f"too many open files to open {path}", fix="raise the limit (`ulimit -n`)"
            )
    return HarnessError(f"{path}: {error.strerror or error}", fix=f"check the disk {elsewhere}")


@contextmanager
def plain_refusals(path: Path | str, option: str = "--store") -> Iterator[None]:
    """Turns what the file system refuses inside into a `HarnessError` that names the path.

    Libraries written in Rust report the system's error number in their message only.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise refusal(error, path, option) from error
    except HarnessError:
        raise
    except Exception as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        code = int(number[1])
        raise refusal(OSError(code, os.strerror(code)), path, option) from error


def write_text(path: Path, text: str) -> None:
    """Write a file in one stroke: readers see the old one or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    with plain_refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def _file_on_the_way(path: Path | str) -> Path | str:
    whole = Path(path)
    steps = [*reversed(whole.parents), whole]
    return next((step for step in steps if step.exists() and not step.is_dir()), path)
