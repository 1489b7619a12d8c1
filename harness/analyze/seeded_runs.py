"""Runs of a procedure that can be compared as a whole table of seeds, and those left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analyze.frames import Record, grouped, records
from harness.analyze.quantities import Run
from harness.api.cells import Primary
from harness.statistics.layout import Layout, Repeated, complete

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """The scores of one procedure's runs: by (score, split) and run; `planned` runs in all.

    `seeds` are those of each run: pretraining, fine-tuning, order. `diverged` did so in training.
    """

    procedure: str
    planned: int
    seeds: Mapping[Run, tuple[int, int, int]]
    values: Mapping[tuple[str, str], Mapping[Run, float]]
    diverged: frozenset[Run]

    @property
    def single(self) -> bool:
        """Whether all runs have one pretraining seed: the same given weights, say."""
        return len({seeds[0] for seeds in self.seeds.values()}) == 1

    @property
    def ordered(self) -> bool:
        """Whether the order of the data has seeds of its own."""
        return any(seeds[1] != seeds[2] for seeds in self.seeds.values())

    @property
    def unit(self) -> str:
        """The kind of seed whose runs hang together: what tests rearrange and folds leave out."""
        return "fine-tuning seed" if self.single else "pretraining seed"

    def unit_of(self, run: Run) -> int:
        """The run's seed of that kind."""
        return self.seeds[run][1 if self.single else 0]

    def usable(self, primary: Primary, target: str) -> list[Run]:
        """Runs with a score on the target and in-domain, whose training did not diverge."""
        needed = [self.values.get((primary.score, split), {}) for split in (target, primary.id)]
        return [
            run
            for run in self.seeds
            if run not in self.diverged
            and all(np.isfinite(values.get(run, np.nan)) for values in needed)
        ]

    def array(self, score: str, split: str, runs: Sequence[Run]) -> Array:
        """Scores of these runs, NaN where there is none."""
        values = self.values.get((score, split), {})
        return np.array([values.get(run, np.nan) for run in runs])


def scored(scores: pd.DataFrame) -> tuple[Scored, ...]:
    """One per procedure, in the order of the plan."""
    return tuple(_scored(rows) for rows in grouped(records(scores), ["procedure"]))


def _scored(rows: Sequence[Record]) -> Scored:
    seeds: dict[Run, tuple[int, int, int]] = {}
    values: dict[tuple[str, str], dict[Run, float]] = {}
    for row in rows:
        three = row["pretrain_seed"], row["finetune_seed"], row["order_seed"]
        run = "/".join(map(str, three if three[1] != three[2] else three[:2]))
        seeds[run] = three
        if row["state"] == "ok":
            values.setdefault((row["score"], row["split"]), {})[run] = row["value"]
    diverged = frozenset(
        "/".join(map(str, three if three[1] != three[2] else three[:2]))
        for row in rows
        if row["diverged"]
        for three in ((row["pretrain_seed"], row["finetune_seed"], row["order_seed"]),)
    )
    return Scored(rows[0]["procedure"], len(seeds), seeds, values, diverged)


@dataclass(frozen=True)
class Comparable:
    """Runs in the order of the layout; `note` says what else must be known of the tests."""

    runs: tuple[Run, ...]
    layout: Layout | Repeated
    note: str = ""


def comparable(runs: Sequence[Run], table: Scored, design: str) -> Comparable | None:
    """The largest whole table of seeds in these runs, as `statistics.layout` wants it.

    Crossed: fine-tuning seeds that some pretraining seed lacks are left out. Nested: of every
    pretraining seed as many runs as the poorest has. Where the order of the data has seeds of its
    own, whole pretraining seeds alone are rearranged. None where nothing is left.

    With a single pretraining seed, which is held fixed, the fine-tuning seeds take its place: what
    is found holds for these weights.
    """
    three = [table.seeds[run] for run in runs]
    ordered = table.ordered
    if runs and table.single:
        if not ordered:
            return Comparable(tuple(runs), Layout.independent(len(runs)))
        three = [(finetune, order, order) for _, finetune, order in three]
    cluster = [seeds[0] for seeds in three]
    if design == "nested" and not ordered:
        least = min((cluster.count(seed) for seed in cluster), default=0)
        kept = [n for n, seed in enumerate(cluster) if cluster[:n].count(seed) < least]
        seeds = tuple(cluster[n] for n in kept)
        numbers = tuple(seeds[:n].count(seed) for n, seed in enumerate(seeds))
        layout = Layout(seeds, numbers, "nested") if kept else None
        return Comparable(tuple(runs[n] for n in kept), layout) if layout else None
    members = [seeds[1:] for seeds in three]
    kept, _ = complete(cluster, members)
    if not kept:
        return None
    if not ordered:
        layout = Layout(tuple(cluster[n] for n in kept), tuple(members[n] for n in kept))
        return Comparable(tuple(runs[n] for n in kept), layout)
    number = len(set(cluster))
    kept.sort(key=lambda n: (members[n], cluster[n]))
    note = f"only whole {table.unit}s are rearranged, since data orders have seeds of their own"
    whole = Repeated(Layout.independent(number), len(kept) // number)
    return Comparable(tuple(runs[n] for n in kept), whole, note)
