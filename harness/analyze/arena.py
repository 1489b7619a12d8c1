"""The numbers of one split: every procedure alone, and every two against each other."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harness.analyze.comparison_design import Asked, Design
from harness.api.comparisons import Pairing
from harness.statistics import power
from harness.statistics.chance import MEANS, seeded
from harness.statistics.comparison import (
    least_p_of_labels,
    least_p_of_signs,
    relabel_test,
    sign_flip_test,
)
from harness.statistics.components import crossed, nested
from harness.statistics.intervals import Draws, Interval, percentile
from harness.statistics.multibootstrap import Arm, multi_bootstrap
from harness.statistics.resampling import Grid, drawn_weights, places_of
from harness.statistics.superiority import lower_quantiles, win_rates

Array = NDArray[np.float64]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Arena:
    """The arms of one split. `sign` is 1 where higher scores are better, else -1.

    `bounds` are the least and the greatest score that there can be.
    """

    split: str
    arms: Sequence[Arm]
    pairings: Mapping[Pair, Pairing]
    sign: int
    design: Design
    asked: Asked
    bounds: tuple[float, float] = (-math.inf, math.inf)

    @cached_property
    def scores(self) -> list[Array]:
        """The score of every run, by arm."""
        return [arm.scores() for arm in self.arms]

    @property
    def pairs(self) -> list[Pair]:
        """Every two arms that are compared, in order."""
        return list(self.pairings)

    @cached_property
    def draws(self) -> Draws:
        """Replicates of all arms: with shared seeds where all are paired."""
        return self._drawn(self.arms, MEANS, paired=self._all_paired)

    def mean(self, arm: int) -> tuple[float, Interval | None]:
        """The mean of an arm; its interval unless there is one seed or too many draws are lost."""
        return float(self.draws.estimates[arm]), self._told(self.draws, arm, self.bounds)

    def lost(self, arm: int) -> int:
        """How many draws have no mean: the score cannot be computed on their examples."""
        return self.asked.replicates - self.draws.known(arm).size

    def tail(self, arm: int) -> tuple[int, float]:
        """The place of the worst run, and the score that a quarter of the runs do not exceed."""
        useful = self.sign * self.scores[arm]
        weights = self.arms[arm].grid.average()[None]
        return int(useful.argmin()), self.sign * float(lower_quantiles(useful, weights)[0])

    def difference(self, pair: Pair) -> Draws:
        """Replicates of the second arm less the first."""
        paired = self.pairings[pair] != "none"
        if paired == self._all_paired:
            return self.draws.difference(*pair, paired=paired)
        two = [self.arms[place] for place in pair]
        drawn = self._drawn(two, f"arms {pair}", paired=paired)
        return drawn.difference(paired=paired)

    def effect(self, pair: Pair) -> tuple[float, Interval | None, float | None]:
        """The difference of the means, its interval, and MultiBERTs' one-sided p."""
        drawn = self.difference(pair)
        estimate = float(drawn.estimates[0])
        if not all(map(self._known, pair)):
            return estimate, None, None
        across = ~(np.sign(estimate) * drawn.replicates[0] > 0)  # so is what is no number
        p = max(float(across.mean()), 1 / across.size)
        most = self.bounds[1] - self.bounds[0]
        return estimate, self._told(drawn, 0, (-most, most)), p

    def test(self, pair: Pair) -> tuple[float | None, float | None]:
        """The two-sided p of whole seeds changing sides, and the least that there can be."""
        first, second = (self._unit_means(place) for place in pair)
        if not self.design.unit or not all(map(self._known, pair)):
            return None, None
        generator = seeded(self.asked.seed, self.split, "p", str(pair))
        if self.pairings[pair] != "none":
            return sign_flip_test(second - first, generator), least_p_of_signs(first.size)
        least = least_p_of_labels(first.size, second.size)
        return relabel_test(first, second, generator), least

    def chances(self, pair: Pair) -> tuple[float, Interval | None, Interval | None]:
        """Chance that a run of the first beats one of the second, and two intervals.

        They are over drawn seeds: that of the chance, and of the difference of lower quartiles.
        """
        useful = [self.sign * self.scores[place] for place in pair]
        grids = [self.arms[place].grid for place in pair]
        even = [grid.average()[None] for grid in grids]
        rate = float(win_rates(useful[0], useful[1], (even[0], even[1]))[0])
        if not self.design.unit or not all(map(self._known, pair)):
            return rate, None, None
        paired = self.pairings[pair] != "none"
        generator = seeded(self.asked.seed, self.split, "chances", str(pair))
        drawn = drawn_weights(
            grids, self.asked.replicates, generator, self.design.levels, paired=paired
        )
        rates = win_rates(useful[0], useful[1], (drawn[0], drawn[1]))
        quartiles = [lower_quantiles(scores, w) for scores, w in zip(useful, drawn, strict=True)]
        level = self.asked.confidence
        units = None  # as in the paper
        if self.design.method == "bca":
            units = min(self.design.units(grid) for grid in grids)
        beyond = rate in (0.0, 1.0)  # every replicate is the same then, which tells nothing
        return (
            rate,
            None if beyond else percentile(rates, level, units=units),
            percentile(self.sign * (quartiles[1] - quartiles[0]), level, units=units),
        )

    def detectable(self, pair: Pair) -> float | None:
        """The true difference that four of five such experiments would find; None if unknown.

        None too where so few seeds can find none; with more pairs at a level divided by them all.
        """
        grid, alpha = self.arms[pair[0]].grid, self.asked.alpha / len(self.pairs)
        if self.pairings[pair] == "none" or self.design.unit != "pretrain":
            return None
        if least_p_of_signs(len(grid.seeds)) > alpha:
            return None
        table = _table(grid, self.scores[pair[1]] - self.scores[pair[0]])
        if table is None or table.shape[0] < 2 or not table.std():
            return None
        if table.shape[1] == 1:
            pilot = power.Pilot(float(table.var(ddof=1)), 0.0, None)
        else:
            nests = self.design.levels.design == "nested"
            parts = nested(table) if nests else crossed(table)
            pilot = power.Pilot(parts.pretrain, parts.finetune, parts.interaction)
        found = power.detectable_difference(pilot, *table.shape, alpha=alpha)
        return found if np.isfinite(found) and found > 0 else None

    @property
    def _all_paired(self) -> bool:
        return bool(self.pairings) and "none" not in self.pairings.values()

    def _known(self, arm: int) -> bool:
        """Whether anything is known of what other seeds would give."""
        return self.design.units(self.arms[arm].grid) >= 2

    def _drawn(self, arms: Sequence[Arm], name: str, *, paired: bool) -> Draws:
        generator = seeded(self.asked.seed, self.split, name)
        replicates, levels = self.asked.replicates, self.design.levels
        return multi_bootstrap(arms, replicates, generator, levels=levels, paired=paired)

    def _told(self, draws: Draws, arm: int, within: tuple[float, float]) -> Interval | None:
        level, method = self.asked.confidence, self.design.method
        return draws.told(arm, level=level, method=method, within=within)

    def _unit_means(self, place: int) -> Array:
        """The mean score of every unit that the tests rearrange."""
        grid, scores = self.arms[place].grid, self.scores[place]
        units: Sequence[int] = grid.pretrain
        if self.design.unit == "finetune":
            crosses = self.design.levels.design == "crossed"
            units = grid.finetune if crosses else range(len(scores))
        of_run = places_of(tuple(units))
        means: Array = np.bincount(of_run, scores) / np.bincount(of_run)
        return means


def _table(grid: Grid, values: Array) -> Array | None:
    """Values as a table [pretraining seeds, fine-tuning seeds], None where it is not a full one."""
    if not grid.balanced or grid.order:
        return None
    rows, columns = places_of(grid.pretrain), places_of(grid.finetune)
    found = np.empty((rows.max() + 1, columns.max() + 1))
    found[rows, columns] = values
    return found
