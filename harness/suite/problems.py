"""All that is wrong with a suite, told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TypeVar

from harness.api.errors import HarnessError, OutOfReach

T = TypeVar("T")


class SuiteError(HarnessError):
    """The first problem of a suite, or (`whole`) one line for all; `problems` has all of them."""

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        fix: str | None = None,
        problems: Sequence[HarnessError] = (),
        whole: bool = False,
    ) -> None:
        super().__init__(message, where=where, fix=fix)
        self.whole = whole
        self.problems = tuple(problems) or (HarnessError(message, where=where, fix=fix),)

    @classmethod
    def of(cls, problems: Sequence[HarnessError]) -> SuiteError:
        """One error out of several; at least one is needed."""
        first = problems[0]
        return cls(first.message, where=first.where, fix=first.fix, problems=problems)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.message, self.where, self.fix, self.problems, self.whole)

    def __str__(self) -> str:
        more = 0 if self.whole else len(self.problems) - 1
        return super().__str__() + (f" (and {more} more: see `seedscape check`)" if more else "")


def _rebuild(
    message: str,
    where: str | None,
    fix: str | None,
    problems: Sequence[HarnessError],
    whole: bool,
) -> SuiteError:
    return SuiteError(message, where=where, fix=fix, problems=problems, whole=whole)


class Problems:
    """Collects problems, so that reading can go on after one."""

    def __init__(self) -> None:
        self._found: list[HarnessError] = []

    def add(self, error: HarnessError) -> None:
        """Note a problem; one that stands there already (a shared anchor) is noted once."""
        for problem in error.problems if isinstance(error, SuiteError) else (error,):
            if str(problem) not in {str(known) for known in self._found[-50:]}:
                self._found.append(problem)

    def attempt(self, read: Callable[[], T]) -> T | None:
        """What `read` gives; where it raises a `HarnessError`, note it and give None."""
        try:
            return read()
        except HarnessError as error:
            self.add(error)
            return None

    @property
    def cut_off(self) -> bool:
        """Whether something lies where nobody can be asked."""
        return any(isinstance(each, OutOfReach) for each in self._found)

    def stop(self, *, unless_cut_off: bool = False) -> None:
        """Raise what was found so far, if anything, in the order of the file.

        What is out of reach alone stops nothing where reading can go on, `unless_cut_off`.
        """
        if all(isinstance(each, OutOfReach) for each in self._found) and unless_cut_off:
            return
        if self._found:
            raise SuiteError.of(sorted(self._found, key=_place))


def _place(error: HarnessError) -> tuple[int, ...]:
    """Line and column; what stands on the command line comes first."""
    place = re.search(r":(\d+):(\d+)$", error.where or "")
    return (0, 0) if place is None else (int(place[1]), int(place[2]))


def unknown(what: str, name: str, known: Iterable[str], where: object) -> HarnessError:
    """An error for a name that is not there, with the closest one that is.

    >>> print(unknown("key", "roh", ["rho", "steps"], "s.yaml:4:3"))
    s.yaml:4:3: unknown key 'roh'; did you mean 'rho'?
    """
    choices = sorted(set(known))
    shown = name if len(name) <= 60 else name[:57] + "..."
    close = get_close_matches(name[:60], choices, n=1)
    if close:
        fix = f"did you mean {close[0]!r}?"
    elif choices:
        fix = f"known are {', '.join(choices[:20])}" + (", ..." if len(choices) > 20 else "")
    else:
        fix = "there are none here"
    return HarnessError(f"unknown {what} {shown!r}", where=str(where), fix=fix)


def twice(names: Sequence[str]) -> str | None:
    """The first name that stands twice, or None."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
