"""What a suite needs from elsewhere while nobody can be asked: all of it is told at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.api.data import DataRoom
from harness.api.downloads import Download
from harness.api.errors import HarnessError, OutOfReach
from harness.plug.catalogue import Catalogue
from harness.plug.needs import SHOWN, Need, downloads_of, each_once, in_one_line
from harness.suite.answering import answering
from harness.suite.problems import SuiteError

FIX = "`seedscape fetch` gets it where there is a network"


@dataclass(frozen=True)
class Reach:
    """What was read so far of a suite's uses, and where stores keep what was fetched for them."""

    catalogue: Catalogue
    cache: Path
    needs: list[Need] = field(default_factory=list)

    def lacks(self, need: Need) -> bool:
        """Whether something that it needs is not here; a faulty use says so elsewhere."""
        try:
            return bool(self._missing(need))
        except HarnessError:
            return False

    def _missing(self, need: Need) -> list[Download]:
        with answering(f"{need.use.noun} {need.use.name!r}", need.where or ""):
            room = DataRoom(self.cache, offline=True)
            found = downloads_of(need, self.catalogue, room)
            return [each for each in found if not each.here()]

    def all_told(self, error: SuiteError) -> SuiteError:
        """The error, with all that lacks in the place of what was met first.

        Its line has everything, its `problems` have what lacks one by one, after what is wrong
        with the suite itself.
        """
        met = [each for each in error.problems if isinstance(each, OutOfReach)]
        if not met:
            return error
        others = [each for each in error.problems if not isinstance(each, OutOfReach)]
        missing: list[list[Download]] = []
        for need in self.needs:
            try:
                missing.append(self._missing(need))
            except OutOfReach:  # stands among what was met
                missing.append([])
            except HarnessError as fault:
                others += [] if str(fault) in map(str, others) else [fault]
                missing.append([])
        why = met[0].why
        lacking = [
            [OutOfReach(each.name, why, where=need.where, fix=FIX) for each in group]
            for need, group in zip(self.needs, each_once(missing), strict=True)
        ]
        told = {each.where for group in lacking for each in group}
        rest = {each.what: each for each in met if each.where not in told}
        return _one(others, [*lacking, list(rest.values())], why)


def _one(
    others: Sequence[HarnessError], lacking: Sequence[Sequence[OutOfReach]], why: str
) -> SuiteError:
    problems: list[HarnessError] = [*others, *(each for group in lacking for each in group)]
    if others:
        return SuiteError.of(problems)
    names = in_one_line([[each.what for each in group] for group in lacking])
    fix = FIX if len(problems) > 1 else problems[0].fix
    if any(len(group) > SHOWN + 1 for group in lacking):
        fix = f"`seedscape check` lists all, {FIX}"
    return SuiteError(f"not here, and {why}: {names}", fix=fix, problems=problems, whole=True)
