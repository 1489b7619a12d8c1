"""Rows of a data set of the hub, through the library `datasets`: Arrow files on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness_datasets import hub
from harness_datasets.texts.layout import Columns
from harness_datasets.texts.reading import renamed, spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from harness.api.data import DataRoom
    from harness.api.downloads import Download


@dataclass(frozen=True)
class HubOrigin:
    """One split of a repository: the files `FOLDER/SPLIT-*.parquet`.

    `nested` is for commits that the hub converted itself: `FOLDER/SPLIT/*.parquet`.
    """

    repository: str
    revision: str
    folder: str
    split: str
    nested: bool = False

    @property
    def where(self) -> str:
        """Repository, folder and split."""
        return f"{self.repository}, {self.folder}/{self.split}"

    @property
    def local(self) -> bool:
        """It may have to be fetched first."""
        return False

    def fingerprint(self) -> str:
        """The pinned revision, with folder and split."""
        pinned = hub.hub_fingerprint(self.repository, self.revision)
        return f"{pinned} {self.folder} {self.split}"

    def stamp(self) -> str:
        """A commit never changes."""
        return self.revision

    def downloads(self) -> Sequence[Download]:
        """Its files."""
        part = f"{self.folder}/{self.split}"
        return (hub.hub_download(self.repository, self.revision, [self._pattern], part),)

    def columns(self, wanted: Sequence[Columns], room: DataRoom | None) -> pa.Table:
        """Fetch what is missing, and map the rows into memory."""
        if room is None:
            raise ValueError("what lies elsewhere is read with a room")
        try:
            import datasets
        except ImportError:
            fix = "pip install 'seedscape[text]'"
            raise HarnessError("the package datasets is not installed", fix=fix) from None
        folder = hub.hub_folder(self.repository, self.revision, room, [self._pattern])
        files = sorted(str(file) for file in folder.glob(self._pattern))
        datasets.disable_progress_bars()
        try:
            found = datasets.load_dataset(
                "parquet", data_files=files, split="train", cache_dir=str(room.cache / "datasets")
            )
        except (datasets.exceptions.DatasetsError, ValueError, OSError) as error:
            told = str(error).partition("\n")[0]
            raise HarnessError(f"cannot read it: {told}", where=self.where) from error
        table = found.data.table
        names = [spelled(each, table.column_names, self.where) for each in wanted]
        return renamed(table, names, self.where)

    @property
    def _pattern(self) -> str:
        return f"{self.folder}/{self.split}{'/' if self.nested else '-'}*.parquet"
