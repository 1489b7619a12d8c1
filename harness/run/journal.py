"""An append-only account of what ran when: `journal.jsonl` in the suite's folder."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from harness.api.errors import HarnessError
from harness.api.settings import Json

JOURNAL = "journal.jsonl"


class Journal:
    """One JSON object per line; several runs may write to one file at the same time.

    Every line is one write to a file opened for appending, so lines never mix. A line that a crash
    cut short is skipped by `read_journal`.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / JOURNAL
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise HarnessError(f"cannot write {path}: {error.strerror}") from None

    def write(self, event: str, **fields: Json) -> None:
        """Append a line: when, which process, what, and the fields."""
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"when": when, "process": os.getpid(), "event": event, **fields}
        try:
            os.write(self._file, (json.dumps(line) + "\n").encode())
        except OSError as error:
            raise HarnessError(f"cannot write the journal: {error.strerror}") from None

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)


def read_journal(folder: Path) -> list[Mapping[str, Json]]:
    """All whole lines, oldest first; empty where there is no journal."""
    path = folder / JOURNAL
    if not path.exists():
        return []
    lines: list[Mapping[str, Json]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            lines.append(entry)
    return lines
