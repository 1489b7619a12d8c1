"""A folder or a repository: as a suite names it, and at the commit that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.api.errors import HarnessError
from harness_models.hub import Whole, cached, commit_of, known_commit, snapshot

_AS_A_PATH = ("./", "../", "~/")


@dataclass(frozen=True)
class Place:
    """A folder, or a repository at a commit."""

    name: str
    commit: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.commit}" if self.commit else self.name

    @classmethod
    def read(cls, text: str) -> Place:
        """The place that `str` wrote."""
        name, _, commit = text.rpartition("@")
        return cls(name, commit) if name and len(commit) == 40 else cls(text)

    def here(self, whole: Whole) -> bool:
        """Whether the files lie on this machine."""
        return whole(cached(self.name, self.commit) if self.commit else Path(self.name))

    def folder(self, wanted: Sequence[str], whole: Whole, *, offline: bool = False) -> Path | None:
        """The folder where files that match `wanted` lie; None where there are none."""
        if self.commit:
            return snapshot(self.name, self.commit, wanted, whole, offline=offline)
        folder = Path(self.name)
        return folder if any(True for p in wanted for _ in folder.glob(p)) else None


@dataclass(frozen=True)
class Origin:
    """A folder, or a repository with a branch, tag or commit ("" for the main branch)."""

    name: str
    revision: str = ""

    def __str__(self) -> str:
        """With the commit, where it is known."""
        place = self.known()
        if place is not None:
            return str(place)
        return f"{self.name}@{self.revision}" if self.revision else self.name

    def is_folder(self) -> bool:
        """Whether it is no repository: the name tells, not what lies in the current folder.

        Raises:
            HarnessError: it should be a folder, and is not there.
        """
        if not (self.name.startswith(_AS_A_PATH) or Path(self.name).is_absolute()):
            return False
        if not Path(self.name).is_dir():
            raise HarnessError(f"there is no folder {self.name}")
        return True

    def known(self) -> Place | None:
        """The place, if it is known without asking the hub."""
        if self.is_folder():
            return Place(str(Path(self.name)))
        commit = known_commit(self.name, self.revision)
        return None if commit is None else Place(self.name, commit)

    def place(self) -> Place:
        """The place; the hub is asked where it is not known.

        Raises:
            HarnessError: there is none, or nobody can be asked.
        """
        return self.known() or Place(self.name, commit_of(self.name, self.revision))
