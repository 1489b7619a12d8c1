"""Rows that are files of their own, in a folder per label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness_datasets.texts.layout import Columns
from harness_datasets.texts.reading import renamed, spelled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from harness.api.data import DataRoom
    from harness.api.downloads import Download


@dataclass(frozen=True)
class FolderOrigin:
    """Files of one text each, in a folder per label: `neg/0_3.txt`. Columns "text" and "label"."""

    path: Path
    labels: tuple[str, ...]

    @property
    def where(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def local(self) -> bool:
        """Files are there."""
        return True

    def fingerprint(self) -> str:
        """The hash of the bytes with their places."""
        from harness_datasets.files import fingerprint

        return fingerprint(self._files(), self.path.expanduser())

    def downloads(self) -> Sequence[Download]:
        """Nothing."""
        return ()

    def stamp(self) -> str:
        """The folders' times of change."""
        from harness_datasets.files import must_exist

        folders = (self.path.expanduser() / label for label in self.labels)
        return " ".join(str(must_exist(folder).stat().st_mtime_ns) for folder in folders)

    def columns(self, wanted: Sequence[Columns], _room: DataRoom | None) -> pa.Table:
        """Read them, by label and name."""
        import pyarrow as pa

        files = self._files()
        columns = {
            "text": pa.chunked_array([[_text_of(file) for file in files]], pa.string()),
            "label": pa.chunked_array([[file.parent.name for file in files]], pa.string()),
        }
        table = pa.table(columns)
        return renamed(table, [spelled(w, table.column_names, self.where) for w in wanted], "")

    def _files(self) -> list[Path]:
        from harness_datasets.files import must_exist

        root = self.path.expanduser()
        found: list[Path] = []
        for label in self.labels:
            found += sorted(must_exist(root / label).glob("*.txt"))
        if not found:
            raise HarnessError("no txt files in its folders", where=str(root))
        return found


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise HarnessError("these bytes are not utf-8", where=str(file)) from None
