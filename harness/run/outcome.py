"""What became of a run: counts, failures, and the exit code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.api.results import Failure


@dataclass(frozen=True)
class Outcome:
    """What became of a plan's cells.

    `reused` were finished before, `computed` now by us, `shared` meanwhile by another run on the
    same store. `failed` maps keys to why; `blocked` maps keys to the failed cell they wait for;
    `damaged` maps keys whose stored files were found broken (and made anew) to what was wrong.
    `missing` are the keys that have no result now, in the plan's order.
    `diverged` counts trainings, of those computed now, whose loss was no longer finite. `hints` are
    lines for the user; `folder` holds the resolved suite, the journal and the reports.
    """

    planned: int
    reused: int
    computed: int
    shared: int
    diverged: int
    failed: Mapping[str, Failure]
    blocked: Mapping[str, str]
    damaged: Mapping[str, str]
    missing: tuple[str, ...]
    interrupted: bool
    seconds: float
    folder: Path
    hints: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Every planned cell has a result."""
        return not self.missing

    @property
    def idle(self) -> bool:
        """There was nothing to do."""
        return self.reused == self.planned

    @property
    def exit_code(self) -> int:
        """0: complete; 1: something failed, so something else may be blocked; 130: interrupted."""
        if self.interrupted:
            return 130
        return 0 if self.complete else 1

    def lines(self) -> list[str]:
        """The account in words, most important last."""
        parts = [f"{self.computed:,} computed", f"{self.reused:,} reused"]
        if self.shared:
            parts.append(f"{self.shared:,} computed by another run")
        if self.diverged:
            parts.append(f"{self.diverged:,} diverged")
        if self.failed:
            parts.append(f"{len(self.failed):,} failed")
        if self.blocked:
            parts.append(f"{len(self.blocked):,} blocked by these")
        left = len(self.missing) - len(self.failed) - len(self.blocked)
        if left:
            parts.append(f"{left:,} not run")
        lines = [*self.hints]
        lines.append(f"{self.planned:,} cells in {self.seconds:.1f} s: {', '.join(parts)}")
        return lines
