"""What a worker process needs to know: everything else it works out for itself, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.api.contexts import Event, Job
from harness.plug.discovery import discover
from harness.store.paths import cache
from harness.store.store import Store

if TYPE_CHECKING:
    from harness.api.results import Machine
    from harness.compute.workbench import Workbench
    from harness.plug.catalogue import Catalogue

HEAVY = ("harness.run.work",)
"""What every worker imports: torch, training, measuring."""


@dataclass(frozen=True)
class WorkContext:
    """Called with a job, runs it. Picklable; light until it is called for the first time.

    `extra` and `without` make the same catalogue as in the scheduling process. `git_commit` and
    `git_dirty` describe the user's working folder.
    """

    root: Path
    extra: tuple[str, ...]
    without: tuple[str, ...]
    device: str
    offline: bool
    git_commit: str | None = None
    git_dirty: bool | None = None
    compiled: bool = False

    def __call__(self, job: Job, tell: Callable[[Event], None]) -> None:
        """Run the job's cells and tell what becomes of them."""
        from harness.run.work import work  # noqa: PLC0415  # torch is imported in workers only

        work(self, job, tell)

    def __getstate__(self) -> dict[str, object]:
        """The fields alone: what a process has worked out for itself stays there."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def store(self) -> Store:
        """The store that results go to."""
        return Store(self.root)

    @cached_property
    def catalogue(self) -> Catalogue:
        """Everything that plugins offer."""
        return discover(self.extra, self.without)

    @cached_property
    def bench(self) -> Workbench:
        """This process's workbench."""
        from harness.compute.device import choose_device  # noqa: PLC0415  # imports torch
        from harness.compute.workbench import Workbench  # noqa: PLC0415  # imports torch

        bench = Workbench(
            self.catalogue,
            self.store,
            choose_device(self.device),
            cache(self.root),
            self.offline,
        )
        bench.compiled = self.compiled
        return bench

    @cached_property
    def machine(self) -> Machine:
        """What this process runs on."""
        from harness.run.machine import machine_of  # noqa: PLC0415  # imports torch

        return machine_of(self.bench.device, self.git_commit, self.git_dirty)
