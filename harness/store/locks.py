"""Claims: of all runs on one store, one works on a cell; the kernel frees what a dead one held."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from harness.api.errors import HarnessError
from harness.store.disk import plain_refusals

if sys.platform == "win32":
    from filelock import FileLock, Timeout
else:
    import fcntl


class Claim:
    """A held claim on a cell. Release it, or use it as a context; a dying process lets go too."""

    def __init__(self, key: str, let_go: Callable[[], None]) -> None:
        self.key = key
        self._let_go: Callable[[], None] | None = let_go

    def release(self) -> None:
        """Let go of the cell; a second time does nothing."""
        let_go, self._let_go = self._let_go, None
        if let_go is not None:
            let_go()

    def __enter__(self) -> "Claim":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def claim(path: Path, key: str) -> Claim | None:
    """Claim a cell through the lock file at `path`; None where somebody else holds it."""
    with plain_refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        let_go = _lock(path)
    return None if let_go is None else Claim(key, let_go)


if sys.platform == "win32":

    def _lock(path: Path) -> Callable[[], None] | None:
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        return lock.release

else:

    def _lock(path: Path) -> Callable[[], None] | None:
        """The lock on an open file, which is deleted again by its holder.

        Between our opening and locking it, the holder before us may have deleted the file: then we
        hold a file that nobody else can find, and try again.
        """
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still(handle, path):
                    return lambda: _delete_and_close(handle, path)
            except BlockingIOError:
                os.close(handle)
                return None
            except OSError as error:
                os.close(handle)
                if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                    raise HarnessError(
                        f"the disk of {path} knows no file locks",
                        fix="mount it with locks, or choose another place with --store",
                    ) from error
                raise
            os.close(handle)

    def _is_still(handle: int, path: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), path.stat())
        except FileNotFoundError:
            return False

    def _delete_and_close(handle: int, path: Path) -> None:
        path.unlink(missing_ok=True)  # while we hold it, so that it is ours
        fcntl.flock(handle, fcntl.LOCK_UN)  # a forked child may still have the file open
        os.close(handle)
