"""What a store holds, and what of it nothing needs any more."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.api.cells import Stage
from harness.store import paths
from harness.store.disk import plain_refusals
from harness.store.store import Store

LONG_AGO = 24 * 3600
"""Seconds after which what another machine was writing counts as left behind."""


@dataclass(frozen=True)
class Held:
    """A cell's folder and the bytes in it."""

    key: str
    path: Path
    bytes: int

    @property
    def stage(self) -> str:
        """The cell's stage."""
        return paths.stage_of(self.key)


@dataclass(frozen=True)
class Leftover:
    """Something that nothing will ever read, and why it is there."""

    path: Path
    bytes: int
    why: str


@dataclass(frozen=True)
class Inventory:
    """All cells of a store, those that no saved suite refers to, and what killed runs left."""

    cells: tuple[Held, ...]
    unreferenced: tuple[Held, ...]
    leftovers: tuple[Leftover, ...]
    cache_bytes: int


def take_inventory(store: Store) -> Inventory:
    """List what a store holds.

    Raises:
        HarnessError: a saved suite's plan cannot be read, or the store is no folder.
    """
    root = store.root
    with plain_refusals(root):
        cells = tuple(_cells(root))
        needed = {key for suite in store.suites() for key in suite.keys}
        return Inventory(
            cells=cells,
            unreferenced=tuple(cell for cell in cells if cell.key not in needed),
            leftovers=(*_unfinished(root), *_temporary_files(root), *_old_notes(root, needed)),
            cache_bytes=_size(paths.cache(root)),
        )


def discard(store: Store, inventory: Inventory) -> int:
    """Delete what an inventory found to be in vain; gives the bytes that were freed.

    A cell that a run is working on is left alone, and so is what became needed in the meantime.
    """
    freed = 0
    needed = {key for suite in store.suites() for key in suite.keys}
    with plain_refusals(store.root):
        for cell in inventory.unreferenced:
            claim = None if cell.key in needed else store.claim(cell.key)
            if claim is not None:
                with claim:
                    store.discard(cell.key)
                    freed += cell.bytes
        for leftover in inventory.leftovers:
            if leftover.path.is_dir():
                shutil.rmtree(leftover.path)
            else:
                leftover.path.unlink(missing_ok=True)
            freed += leftover.bytes
        _tidy_locks(store)
    return freed


def _cells(root: Path) -> Iterator[Held]:
    for stage in Stage:
        for shelf in sorted(_folders(root / paths.CELLS / stage.value)):
            for folder in sorted(_folders(shelf)):
                if folder == paths.cell_folder(root, folder.name):  # else it is not ours
                    yield Held(folder.name, folder, _size(folder))


def _unfinished(root: Path) -> Iterator[Leftover]:
    for folder in sorted(_folders(paths.unfinished(root))):
        if not _is_being_written(folder):
            yield Leftover(folder, _size(folder), "left by a run that was killed")


def _temporary_files(root: Path) -> Iterator[Leftover]:
    """Files of `write_text` that were never renamed."""
    for pattern in (f"{paths.FAILED}/.*", f"{paths.SUITES}/*/.*"):
        for path in sorted(root.glob(pattern)):
            status = path.stat()
            if time.time() - status.st_mtime > LONG_AGO:
                yield Leftover(path, status.st_size, "left by a run that was killed")


def _is_being_written(folder: Path) -> bool:
    """Whether the process in the folder's name is alive (elsewhere: whether it can be)."""
    host, _, process = folder.name.rpartition(".")[0].rpartition(".")
    if host.partition(".")[2] == socket.gethostname() and process.isdigit():
        return psutil.pid_exists(int(process))
    return time.time() - folder.stat().st_mtime < LONG_AGO


def _old_notes(root: Path, needed: set[str]) -> Iterator[Leftover]:
    for note in sorted((root / paths.FAILED).glob("[!.]*")):
        if note.stem not in needed:
            yield Leftover(note, note.stat().st_size, "the failure of a cell that nothing needs")


def _tidy_locks(store: Store) -> None:
    for lock in (store.root / paths.LOCKS).glob("*.lock"):
        claim = store.claim(lock.stem)
        if claim is not None:
            claim.release()  # which deletes the file of a run that was killed


def _folders(parent: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(parent) if entry.is_dir()]
    except FileNotFoundError:
        return []


def _size(folder: Path) -> int:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return 0
    return sum(
        _size(Path(entry.path)) if entry.is_dir() else entry.stat().st_size for entry in entries
    )
