"""The form of `record.json`: one JSON object that starts with the checksum of all the rest.

`{"sha256": ..., "schema_version": ..., "key": ..., "files": {...}, "record": {...}}`. What stands
before `record` is enough to check a cell, so that a survey of many cells parses no records.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.api.errors import HarnessError
from harness.api.results import SCHEMA_VERSION, CellRecord
from harness.store.paths import RECORD

SMALL = 256 * 1024
"""Files up to this size are hashed whenever they are checked; larger ones if they were touched."""

_OPENING = b'{"sha256":"'
_HEAD = len(_OPENING) + 64 + len('",')
_MARK = b',"record":'


class Damaged(HarnessError):
    """A stored file is not what was written; its cell will be computed again."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record whose checksum is right: which files belong to it, and the record as JSON."""

    key: str
    files: Mapping[str, tuple[str, int]]
    body: bytes
    written_ns: int


def seal(record: CellRecord) -> bytes:
    """The bytes of `record.json`."""
    files = {name: [entry.sha256, entry.bytes] for name, entry in record.files.items()}
    head = {"schema_version": record.schema_version, "key": record.key, "files": files}
    text = json.dumps(head, separators=(",", ":"))[1:-1].encode()
    rest = text + _MARK + record.model_dump_json().encode() + b"}\n"
    return _head(rest) + rest


def unseal(folder: str, key: str) -> Sealed | None:
    """The sealed record of a cell's folder, its checksum verified; None where no cell is.

    Raises:
        Damaged: the record is missing from its folder, cut off, changed, or another cell's.
        HarnessError: it was written by a later version.
    """
    path = f"{folder}/{RECORD}"
    try:
        content, written_ns = _read(path)
    except FileNotFoundError:
        if Path(folder).is_dir():
            raise Damaged(f"{path} is missing") from None
        return None
    rest = content[_HEAD:]
    if content[:_HEAD] != _head(rest):
        raise Damaged(f"{path} is cut off or was changed (its checksum does not fit)")
    head, _, body = rest.partition(_MARK)
    fields = json.loads(b"{" + head + b"}")
    if fields["schema_version"] > SCHEMA_VERSION:
        raise HarnessError(
            f"{path} was written by a later version of seedscape (record format "
            f"{fields['schema_version']}, this version knows {SCHEMA_VERSION})",
            fix="update seedscape, or give another --store",
        )
    if fields["key"] != key:
        raise Damaged(f"{path} belongs to another cell, {fields['key']}")
    files = {name: (sha256, size) for name, (sha256, size) in fields["files"].items()}
    return Sealed(key, files, body[:-2], written_ns)


def parse(sealed: Sealed, folder: Path) -> CellRecord:
    """The typed record; `Damaged` if it is not of this version's form."""
    try:
        return CellRecord.model_validate_json(sealed.body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Damaged(
            f"{folder / RECORD} has an unknown form at {place} ({first['msg']})"
        ) from None


def check_files(sealed: Sealed, folder: str) -> None:
    """Check every file beside a record: its size, and its bytes where cheap or called for.

    Raises:
        Damaged: a file is missing, of another size, or holds other bytes.
    """
    for name, (sha256, size) in sealed.files.items():
        path = f"{folder}/{name}"
        try:
            status = os.stat(path)  # noqa: PTH116  a Path costs more than the call
        except FileNotFoundError:
            raise Damaged(f"{path} is missing") from None
        if status.st_size != size:
            raise Damaged(f"{path} has {status.st_size:,} bytes instead of {size:,}")
        touched = status.st_mtime_ns > sealed.written_ns
        if (touched or size <= SMALL) and digest(path) != sha256:
            raise Damaged(f"{path} was changed (its checksum does not fit)")


def digest(path: Path | str) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  as above
        if os.fstat(file.fileno()).st_size <= SMALL:  # as most are: spares a large buffer
            return hashlib.sha256(file.read()).hexdigest()
        return hashlib.file_digest(file, "sha256").hexdigest()


def _head(rest: bytes) -> bytes:
    return _OPENING + hashlib.sha256(rest).hexdigest().encode() + b'",'


def _read(path: str) -> tuple[bytes, int]:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  as above
        return file.read(), os.fstat(file.fileno()).st_mtime_ns
