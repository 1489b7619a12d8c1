"""How often each unit is drawn: the weights of bootstrap replicates, level by level.

A replicate draws pretraining seeds, fine-tuning seeds and examples with replacement, or holds a
level fixed. The score of a replicate is the mean over drawn pretraining seeds of the mean over
their (drawn) fine-tuning runs of the score on the drawn examples.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float32]


@dataclass(frozen=True)
class Levels:
    """What is drawn anew in each replicate; what is not is held fixed.

    `finetune` in a "crossed" design draws one multiset of fine-tuning seeds for all pretraining
    seeds (and one of data orders, where these have seeds of their own), in a "nested" one an own
    multiset of runs for every drawn pretraining seed. The procedure of
    MultiBERTs (Sellam et al. 2022, arXiv 2106.16163) is `MULTIBERTS`: pretraining seeds and
    examples drawn, fine-tuning runs averaged.
    """

    pretrain: bool = True
    finetune: bool = True
    examples: bool = True
    design: Literal["crossed", "nested"] = "crossed"


MULTIBERTS = Levels(finetune=False)


@dataclass(frozen=True)
class Grid:
    """The runs of an arm: `pretrain` and `finetune` seed of each, in the order of its scores.

    `order` holds their seeds of the data order where these are split from the fine-tuning seeds.

    Raises:
        ValueError: no runs, or two runs with the same seeds.
    """

    pretrain: tuple[int, ...]
    finetune: tuple[int, ...]
    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        runs = list(zip(self.pretrain, self.within, strict=True))
        if not runs:
            raise ValueError("there are no runs")
        if len(set(runs)) < len(runs):
            raise ValueError("two runs have the same seeds")

    @property
    def within(self) -> tuple[tuple[int, ...], ...]:
        """What tells every run from others of its pretraining seed."""
        return tuple(zip(*self.factors, strict=True))

    @property
    def factors(self) -> tuple[tuple[int, ...], ...]:
        """The fine-tuning seeds of the runs, and the seeds of orders where they have their own."""
        return (self.finetune, self.order) if self.order else (self.finetune,)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Pretraining seeds, in order of their first appearance."""
        return tuple(dict.fromkeys(self.pretrain))

    @property
    def balanced(self) -> bool:
        """Whether every pretraining seed has the same fine-tuning seeds, with the same orders."""
        whole = math.prod(len(set(seeds)) for seeds in (self.pretrain, *self.factors))
        return len(self.pretrain) == whole

    def average(self) -> NDArray[np.float64]:
        """The weights [runs] of the mean over seeds of the means over their runs."""
        sizes = {seed: self.pretrain.count(seed) for seed in self.seeds}
        return np.array([1 / (len(sizes) * sizes[seed]) for seed in self.pretrain])


def seed_counts(
    seeds: int, replicates: int, generator: np.random.Generator, *, drawn: bool
) -> NDArray[np.int64]:
    """How often each seed is drawn: integers [replicates, seeds], each row summing to `seeds`."""
    if not drawn:
        return np.ones((replicates, seeds), dtype=np.int64)
    chances = np.full(seeds, 1 / seeds)
    return generator.multinomial(seeds, chances, size=replicates)


def example_counts(examples: int, replicates: int, generator: np.random.Generator) -> Counts:
    """How often each example is drawn: [replicates, examples], each row summing to `examples`."""
    kind = np.uint16 if examples <= 1 << 16 else np.uint32
    places = generator.integers(0, examples, size=(replicates, examples), dtype=kind)
    counts = np.empty((replicates, examples), dtype=np.float32)
    for row, drawn_places in enumerate(places):
        counts[row] = np.bincount(drawn_places, minlength=examples)
    return counts


def run_weights(
    grid: Grid,
    pretrain: NDArray[np.int64],
    within: Sequence[NDArray[np.int64]],
    levels: Levels,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """The weight of every run in every replicate: [replicates, runs], each row summing to 1.

    Args:
        grid: the runs.
        pretrain: how often each of `grid.seeds` is drawn, [replicates, seeds].
        within: in a crossed design, how often each level of `grid.factors` is drawn (in the order
            of its first appearance), [replicates, levels] of each factor; nothing otherwise.
        levels: what is drawn.
        generator: draws the fine-tuning runs of a nested design.

    Raises:
        ValueError: a crossed design that draws fine-tuning seeds and is not balanced.
    """
    places = {seed: place for place, seed in enumerate(grid.seeds)}
    of_run = np.array([places[seed] for seed in grid.pretrain])
    sizes = np.bincount(of_run)
    if not levels.finetune:
        averaged: NDArray[np.float64] = pretrain[:, of_run] / sizes[of_run]
        averaged /= pretrain.sum(1, keepdims=True)
        return averaged
    if levels.design == "crossed":
        return _crossed(grid, pretrain[:, of_run], within)
    weights = np.empty((len(pretrain), len(of_run)))
    total = pretrain.sum(1)
    for seed in range(len(sizes)):
        mine = of_run == seed
        size = int(sizes[seed])
        drawn = generator.multinomial(pretrain[:, seed] * size, np.full(size, 1 / size))
        weights[:, mine] = drawn / (total[:, None] * size)
    return weights


def drawn_weights(
    grids: Sequence[Grid],
    replicates: int,
    generator: np.random.Generator,
    levels: Levels,
    *,
    paired: bool,
) -> list[NDArray[np.float64]]:
    """The weights of every procedure's runs, [replicates, runs] each; paired ones share them."""
    found: list[NDArray[np.float64]] = []
    for grid in grids:
        if found and paired:
            found.append(found[0])
            continue
        seeds = seed_counts(len(grid.seeds), replicates, generator, drawn=levels.pretrain)
        within: list[NDArray[np.int64]] = []
        if levels.finetune and levels.design == "crossed":
            sizes = [len(set(factor)) for factor in grid.factors]
            within = [seed_counts(size, replicates, generator, drawn=True) for size in sizes]
        found.append(run_weights(grid, seeds, within, levels, generator))
    return found


def _crossed(
    grid: Grid, of_seed: NDArray[np.int64], within: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    if not grid.balanced or len(within) != len(grid.factors):
        raise ValueError("a crossed design wants the same fine-tuning seeds everywhere")
    joint = of_seed
    for factor, counts in zip(grid.factors, within, strict=True):
        joint = joint * counts[:, places_of(factor)]
    weights: NDArray[np.float64] = joint / joint.sum(1, keepdims=True)
    return weights


def places_of(factor: Sequence[Hashable]) -> NDArray[np.int64]:
    """The number of every run's level, in the order of first appearance.

    >>> places_of((7, 3, 7)).tolist()
    [0, 1, 0]
    """
    levels = list(dict.fromkeys(factor))
    return np.array([levels.index(level) for level in factor], dtype=np.int64)
