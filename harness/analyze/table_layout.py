"""How the runs of a table hang together by their groups, and how they are drawn anew."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.analyze.table import RunTable
from harness.api.errors import HarnessError
from harness.api.numbers import count, some
from harness.statistics.layout import Layout, complete
from harness.statistics.resampling import Grid, Levels, drawn_weights, places_of


@dataclass(frozen=True)
class Drawn:
    """Runs to draw anew: their places in the table, and their seeds."""

    places: tuple[int, ...]
    grid: Grid
    crossed: bool

    def levels(self, *, examples: bool) -> Levels:
        """What is drawn: groups, runs within them where they have several, and examples."""
        several = len(self.grid.pretrain) > len(self.grid.seeds)
        design: Literal["crossed", "nested"] = "crossed" if self.crossed else "nested"
        return Levels(finetune=several, examples=examples, design=design)


@dataclass(frozen=True)
class Hanging:
    """A design, the places of the runs that make it complete, and what to say of it.

    `means` are the runs that means are drawn from: no group loses one for having more than others.
    """

    layout: Layout
    places: tuple[int, ...]
    means: Drawn
    notes: tuple[str, ...] = ()

    @property
    def clusters(self) -> NDArray[np.int64]:
        """The number of every run's group."""
        return places_of(self.layout.cluster)

    @property
    def drawn(self) -> Drawn:
        """The runs of the complete design; independent ones are groups of one."""
        return _drawn(self.layout, self.places)

    def weights(self, replicates: int, generator: np.random.Generator) -> NDArray[np.float64]:
        """How often each run is drawn, as shares: [replicates, runs]."""
        drawn = self.drawn
        levels = drawn.levels(examples=False)
        (found,) = drawn_weights([drawn.grid], replicates, generator, levels, paired=False)
        return found


def _drawn(layout: Layout, places: tuple[int, ...]) -> Drawn:
    clusters, members = places_of(layout.cluster), places_of(layout.member)
    grid = Grid(tuple(clusters.tolist()), tuple(members.tolist()))
    return Drawn(places, grid, layout.design == "crossed")


def hanging(table: RunTable) -> Hanging:
    """The design that --groups describe.

    Raises:
        HarnessError: all runs in one group, two runs of one pair of seeds, or no fine-tuning seed
            that every group has.
    """
    everything = tuple(range(len(table.labels)))
    if not table.groups or not table.groups[0]:
        note = "runs are taken for independent: name their seeds with --groups if they are not"
        layout = Layout.independent(len(everything))
        return Hanging(layout, everything, _drawn(layout, everything), (note,))
    cluster = tuple(group[0] for group in table.groups)
    if len(set(cluster)) == 1:
        raise HarnessError(
            f"all runs have the same '{table.columns.groups[0]}'",
            where=str(table.path),
            fix="leave --groups out, or name the column of the pretraining seeds",
        )
    return _nested(cluster) if len(table.groups[0]) == 1 else _crossed(table, cluster)


def _nested(cluster: tuple[str, ...]) -> Hanging:
    sizes = {cluster.count(name) for name in cluster}
    least = min(sizes)
    kept = tuple(p for p, name in enumerate(cluster) if cluster[:p].count(name) < least)
    short = tuple(cluster[p] for p in kept)
    member = tuple(short[:place].count(name) for place, name in enumerate(short))
    every = tuple(range(len(cluster)))
    means = Drawn(every, Grid(tuple(places_of(cluster).tolist()), every), crossed=False)
    notes = []
    if len(sizes) > 1:
        runs = count(least, "run")
        notes = [f"tests use the first {runs} of each group: groups differ in size"]
    if least == 1:
        notes.append("groups have one run to compare: no share of variance can be told")
    return Hanging(Layout(short, member, "nested"), kept, means, tuple(notes))


def _crossed(table: RunTable, cluster: tuple[str, ...]) -> Hanging:
    first, second = table.columns.groups
    names = [group[1] for group in table.groups]
    pairs = list(zip(cluster, names, strict=True))
    if len(set(pairs)) < len(pairs):
        twice = next(pair for pair in pairs if pairs.count(pair) > 1)
        raise HarnessError(
            f"two runs have '{first}' {twice[0]} and '{second}' {twice[1]}",
            where=str(table.path),
            fix="name only the first with --groups: runs are then nested in it",
        )
    kept, lacking = complete(cluster, names)
    if not kept:
        raise HarnessError(
            f"no '{second}' is there for every '{first}'",
            where=str(table.path),
            fix="name only the first with --groups: runs are then nested in it",
        )
    notes = []
    if lacking:
        told = some([str(name) for name in lacking])
        notes.append(
            f"tests leave out {count(len(lacking), 'level')} of '{second}' that not every "
            f"'{first}' has: {told}"
        )
    layout = Layout(tuple(cluster[p] for p in kept), tuple(names[p] for p in kept))
    if len(set(layout.member)) == 1:
        notes.append(f"one '{second}' is left: no share of variance can be told")
    return Hanging(layout, tuple(kept), _drawn(layout, tuple(kept)), tuple(notes))
