"""A table of results that was made elsewhere: which column is what, and the runs that count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.api.tables import SourceFile
from harness.statistics.line import Scale

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """Which column is what. `runs` name a run; `groups` its seeds: (cluster,) or (cluster, member).

    `keep` maps a column to a regular expression that a row's text must match to count, `baselines`
    one that tells the runs to which lines are fitted. `upstream` is the score that transfer is
    measured from. Of the columns in `log` the logarithm is taken. `shares` says that scores are
    accuracies between 0 and 1 (or `percent`).
    """

    runs: tuple[str, ...]
    id: str
    ood: tuple[str, ...]
    predictors: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    upstream: str | None = None
    log: tuple[str, ...] = ()
    keep: Mapping[str, str] = field(default_factory=dict)
    baselines: Mapping[str, str] = field(default_factory=dict)
    percent: bool = False
    shares: bool = True
    drop_missing: bool = False

    @property
    def scores(self) -> tuple[str, ...]:
        """All columns of scores, the in-domain one first."""
        return tuple(dict.fromkeys((self.id, *self.ood, *self._upstream)))

    @property
    def numeric(self) -> tuple[str, ...]:
        """All columns that must hold numbers; controls may hold text too."""
        return tuple(dict.fromkeys((*self.scores, *self.predictors)))

    @property
    def named(self) -> dict[str, tuple[str, ...]]:
        """The columns of every option, by option."""
        return {
            "--runs": self.runs,
            "--id": (self.id,),
            "--ood": self.ood,
            "--predictors": self.predictors,
            "--controls": self.controls,
            "--groups": self.groups,
            "--upstream": self._upstream,
            "--log": self.log,
            "--keep": tuple(self.keep),
            "--baselines": tuple(self.baselines),
        }

    @property
    def _upstream(self) -> tuple[str, ...]:
        return () if self.upstream is None else (self.upstream,)


@dataclass(frozen=True)
class RunTable:
    """The rows that count: labels of the runs, their groups, and the numbers of each column.

    `axes` are the controls as text; `baselines` says to which runs lines are fitted (None: to all);
    `correct` holds, where there are predictions, which examples each run got right. `digest` is the
    SHA-256 of the file; `notes` say what was left out and why.
    """

    path: Path
    digest: str
    columns: Columns
    labels: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    numbers: Mapping[str, Array]
    axes: Mapping[str, tuple[str, ...]]
    baselines: NDArray[np.bool_] | None
    correct: Mapping[str, NDArray[np.bool_]]
    sources: tuple[SourceFile, ...]
    notes: tuple[str, ...]

    def rows(self, places: Sequence[int]) -> "RunTable":
        """The same table with the runs at these places alone."""
        chosen = list(places)
        return replace(
            self,
            labels=tuple(self.labels[p] for p in chosen),
            groups=tuple(self.groups[p] for p in chosen),
            numbers={name: values[chosen] for name, values in self.numbers.items()},
            axes={name: tuple(of[p] for p in chosen) for name, of in self.axes.items()},
            baselines=None if self.baselines is None else self.baselines[chosen],
            correct={name: right[chosen] for name, right in self.correct.items()},
        )


@dataclass(frozen=True)
class Asked:
    """How a table is analysed. `examples` maps a score to how many examples it was tested on.

    `permutations` are for p-values, `replicates` for intervals, `gain_replicates` for intervals of
    a gain in R^2.
    """

    examples: Mapping[str, int] = field(default_factory=dict)
    scale: Scale = "probit"
    permutations: int = 9_999
    replicates: int = 2_000
    gain_replicates: int = 200
    seed: int = 0
