"""The store: finished cells on disk, each in one folder that is there as a whole or not at all."""

import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from harness.api.cells import Cell, Plan, Stage
from harness.api.errors import HarnessError
from harness.api.results import CellRecord, Failure, FileEntry
from harness.store import locks, paths, saved
from harness.store.disk import plain_refusals, write_text
from harness.store.locks import Claim
from harness.store.saved import SavedSuite
from harness.store.seal import Damaged, check_files, digest, parse, seal, unseal
from harness.store.survey import Survey, survey

_SECOND = 1_000_000_000


class Store:
    """A folder of finished cells. Any number of processes may use one store at a time.

    Whatever the file system refuses comes out as a `HarnessError` that names the path. Nothing is
    flushed to the disk by force: what a power cut spoils is noticed by its checksum.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = paths.local_root(root)
        self._verified: dict[str, tuple[int, int]] = {}

    def prepare(self) -> None:
        """Make the store's folder and try it out; raises where nothing could be written later."""
        attempt = paths.unfinished(self.root) / _own_name("attempt")
        with plain_refusals(self.root):
            attempt.mkdir(parents=True)
            attempt.rmdir()

    def survey(self, cells: Iterable[Cell]) -> Survey:
        """Which of the cells are done, failed or damaged (see `Survey`)."""
        return survey(self.root, cells)

    def read(self, key: str) -> CellRecord:
        """The record of a finished cell, its checksum verified.

        Raises:
            Damaged: it is not what was written.
            HarnessError: there is no such cell, or a later version wrote it.
        """
        folder = paths.cell_folder(self.root, key)
        with plain_refusals(folder):
            sealed = unseal(str(folder), key)
        if sealed is None:
            raise HarnessError(f"cell {key} is not in the store {self.root}", fix="run its suite")
        return parse(sealed, folder)

    def path(self, key: str, name: str) -> Path:
        """A file of a finished cell, its bytes verified (once per process, unless it is touched).

        Raises:
            Damaged: the file, or the record, is not what was written.
            HarnessError: there is no such cell, or it has no such file.
        """
        record = self.read(key)
        path = paths.cell_folder(self.root, key) / name
        entry = record.files.get(name)
        if entry is None:
            has = ", ".join(record.files) or "none"
            raise HarnessError(f"cell {key} has no file {name}", fix=f"it has {has}")
        with plain_refusals(path):
            try:
                status = path.stat()
            except FileNotFoundError:
                raise Damaged(f"{path} is missing") from None
            seen = (status.st_mtime_ns, status.st_size)
            if self._verified.get(str(path)) != seen:
                if status.st_size != entry.bytes or digest(path) != entry.sha256:
                    raise Damaged(f"{path} was changed (its checksum does not fit)")
                self._verified[str(path)] = seen
        return path

    def write(self, record: CellRecord, files: Mapping[str, Callable[[Path], None]]) -> CellRecord:
        """Store a finished cell: every function writes its file to the path it is given.

        Gives the record with its `files` filled in. A damaged cell of that key is replaced; an
        intact one stays, and its record is what is given. Clears the note of an earlier failure.
        """
        folder = paths.cell_folder(self.root, record.key)
        temporary = paths.unfinished(self.root) / _own_name(record.key)
        try:
            with plain_refusals(folder):
                temporary.mkdir(parents=True)
                written = _fill(temporary, record, files)
                folder.parent.mkdir(parents=True, exist_ok=True)
                kept = self._move(temporary, folder, written)
                self._forget_failure(record.key)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return kept

    def discard(self, key: str) -> None:
        """Take a cell out of the store, at one stroke; nothing happens where there is none."""
        folder = paths.cell_folder(self.root, key)
        aside = paths.unfinished(self.root) / _own_name(key)
        with plain_refusals(folder):
            aside.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def fail(self, failure: Failure) -> None:
        """Note why a cell could not be finished, until it is."""
        log = paths.failure_log(self.root, failure.key)
        write_text(log, failure.log)
        write_text(paths.failure_note(self.root, failure.key), failure.model_dump_json() + "\n")

    def claim(self, key: str) -> Claim | None:
        """The right to work on a cell, or None where another run has it."""
        return locks.claim(paths.lock(self.root, key), key)

    def keys(self, stage: Stage) -> Iterator[str]:
        """Keys of all cells of a stage that are there, in order; they may be damaged."""
        place = self.root / paths.CELLS / stage.value
        with plain_refusals(place):
            folders = sorted(place.glob("*/*"))
        return (folder.name for folder in folders)

    def siblings(self, prefix: str) -> list[str]:
        """Keys of finished evaluate cells whose predictions are those of the prefix."""
        parent = paths.cell_folder(self.root, prefix).parent
        with plain_refusals(parent):
            return sorted(path.parent.name for path in parent.glob(f"{prefix}-*/{paths.RECORD}"))

    def save_suite(self, plan: Plan, text: str) -> Path:
        """Save what was asked for beside the results; gives the folder, for reports too."""
        return saved.save(self.root, plan, text)

    def suites(self) -> tuple[SavedSuite, ...]:
        """The suites that were saved here."""
        return saved.saved_suites(self.root)

    def _move(self, temporary: Path, folder: Path, written: CellRecord) -> CellRecord:
        """Put a complete folder in its place. Only a damaged cell has to make room for it."""
        while True:
            try:
                temporary.rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise
            else:
                return written
            try:
                sealed = unseal(str(folder), written.key)
                if sealed is not None:
                    check_files(sealed, str(folder))
                    return parse(sealed, folder)
            except Damaged:
                self.discard(written.key)

    def _forget_failure(self, key: str) -> None:
        paths.failure_note(self.root, key).unlink(missing_ok=True)
        paths.failure_log(self.root, key).unlink(missing_ok=True)


def _own_name(key: str) -> str:
    """A name that says who writes there, so that leftovers of the dead can be told."""
    return f"{key}.{socket.gethostname()}.{os.getpid()}.{os.urandom(4).hex()}"


def _fill(
    folder: Path, record: CellRecord, files: Mapping[str, Callable[[Path], None]]
) -> CellRecord:
    entries = {}
    for name, write in files.items():
        path = folder / name
        with plain_refusals(path):
            write(path)
            entries[name] = FileEntry(sha256=digest(path), bytes=path.stat().st_size)
    written = record.model_copy(update={"files": entries})
    path = folder / paths.RECORD
    with plain_refusals(path):
        path.write_bytes(seal(written))
        ours = path.stat()
        before = ours.st_mtime_ns - _SECOND  # so that a later touch is told by the clock
        for name in files:
            (folder / name).chmod(ours.st_mode)  # some libraries keep what they write to themselves
            if (folder / name).stat().st_mtime_ns > before:  # a link to an older file is older
                os.utime(folder / name, ns=(before, before))
    return written
