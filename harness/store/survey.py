"""What of a plan is there already: done, failed, damaged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from harness.api.cells import Cell
from harness.api.results import SCHEMA_VERSION, Failure
from harness.store import paths
from harness.store.disk import plain_refusals
from harness.store.seal import Damaged, check_files, unseal


@dataclass(frozen=True)
class Survey:
    """States of the cells that were asked for, by key; what is in none of them is missing.

    A cell that is done is nothing else. `failed` says why the last attempt ended; `damaged` names
    the file that is not what was written (such a cell is to be computed again).
    """

    done: frozenset[str]
    failed: Mapping[str, Failure]
    damaged: Mapping[str, str]

    def state(self, key: str) -> str:
        """`done`, `failed`, `damaged` or `missing`."""
        if key in self.done:
            return "done"
        if key in self.failed:
            return "failed"
        return "damaged" if key in self.damaged else "missing"


def survey(root: Path, cells: Iterable[Cell]) -> Survey:
    """Look at every cell once: its record's checksum, its files' sizes, their bytes if suspect."""
    place = str(root)
    done: set[str] = set()
    failed: dict[str, Failure] = {}
    damaged: dict[str, str] = {}
    with plain_refusals(root):
        notes = _failure_notes(root)
        for cell in cells:
            key = cell.key
            folder = f"{place}/{paths.CELLS}/{cell.stage.value}/{key.partition('-')[2][:2]}/{key}"
            try:
                sealed = unseal(folder, key)
                if sealed is not None:
                    check_files(sealed, folder)
                    done.add(key)
            except Damaged as problem:
                damaged[key] = str(problem)
            if key in notes and key not in done:
                failed[key] = read_failure(root, key)
    return Survey(frozenset(done), failed, damaged)


def read_failure(root: Path, key: str) -> Failure:
    """Why a cell could not be finished, also where the note itself cannot be read."""
    path = paths.failure_note(root, key)
    try:
        return Failure.model_validate_json(path.read_bytes())
    except ValidationError:
        return Failure(
            schema_version=SCHEMA_VERSION,
            key=key,
            stage=paths.stage_of(key),
            reason=f"it failed, but {path} cannot be read",
            log="",
            attempts=1,
            when=_when(path),
        )


def _when(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)


def _failure_notes(root: Path) -> frozenset[str]:
    try:
        return frozenset(note.stem for note in (root / paths.FAILED).glob("*.json"))
    except FileNotFoundError:
        return frozenset()
