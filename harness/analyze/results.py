"""All results of a suite as tidy pandas frames: what `harness.load()` gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from harness.analyze.contenders import Records
from harness.api.findings import Problem
from harness.api.numbers import count
from harness.api.pictures import Picture
from harness.api.settings import Json


@dataclass(frozen=True, repr=False)
class Results:
    """Frames of one suite, with every planned run in them, finished or not.

    `scores`: one row per planned run x split x score; `value` is NaN unless `state` is "ok".
    `readings`: one row per metric x subject (point, pair or group) x value; where a planned
    measurement has no result (`state` is not "ok"), one row without name and value.
    `curves`: one row per metric x subject x curve x quantity x point along the path.
    `grids`: one row per metric x subject x grid x quantity x place, made when first asked for.
    `runs`: one row per planned training. `cells`: one row per planned cell of any kind.
    `losses`: one row per finished training x step whose loss was logged.
    `problems`: planned cells without a usable result. `plugins` and `packages` map a distribution
    to its versions; `protocols` maps a metric's label to what all its readings have in common;
    `pictures` are grids of metrics, those of one subject of each procedure and kind. `files(key)`
    is the file with the predictions of an evaluation, None where it is not to be read; `store` is
    where all of it comes from.
    """

    suite: str
    version: str
    title: str
    smoke: bool
    scores: pd.DataFrame
    readings: pd.DataFrame
    curves: pd.DataFrame
    runs: pd.DataFrame
    cells: pd.DataFrame
    problems: tuple[Problem, ...]
    plugins: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    protocols: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    make_grids: Callable[[], pd.DataFrame] = pd.DataFrame
    files: Callable[[str], Path | None] = lambda _: None
    losses: pd.DataFrame = field(default_factory=pd.DataFrame)
    store: Records | None = None

    @cached_property
    def grids(self) -> pd.DataFrame:
        """Numbers of all grids in one long table: planes, slices, modules x alpha."""
        return self.make_grids()

    def __repr__(self) -> str:
        done = int((self.cells["state"].isin(("ok", "diverged"))).sum())
        lines = [
            f"Results of {self.suite} {self.version}" + (" (smoke run)" if self.smoke else ""),
            f"  {done:,} of {count(len(self.cells), 'planned cell')} finished",
        ]
        for name in ("scores", "readings", "curves", "losses", "runs", "cells"):
            frame = getattr(self, name)
            lines.append(f"  .{name:<9} {count(len(frame), 'row')}")
        states: dict[str, int] = {}
        for problem in self.problems:
            states[problem.state] = states.get(problem.state, 0) + 1
        told = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
        lines.append(f"  .problems  {told or 'none'}")
        return "\n".join(lines)
