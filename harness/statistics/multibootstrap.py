"""The multi-bootstrap: what a score, or a difference of scores, would be with other seeds and data.

Sellam et al. 2022 (MultiBERTs, arXiv 2106.16163), extended by drawing fine-tuning seeds too. For a
score that is a mean over examples a replicate is w' M x / n, with run weights w, scores M
[runs, examples] and example counts x: all replicates are two matrix products. Where no examples are
drawn it is w' s, with s the scores of runs. Other scores are
functions of such means (a confusion matrix), see `Arm.combine`, or are computed anew from the drawn
examples, see `Arm.again`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.statistics.few_units import DrawnLevel
from harness.statistics.intervals import Draws
from harness.statistics.resampling import (
    Grid,
    Levels,
    drawn_weights,
    example_counts,
    places_of,
)

CHUNK = 128
NUMBERS = 1 << 23
"""Replicates at a time, and their example counts: fewer replicates if there are many examples."""

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Arm:
    """One procedure's runs and what each scored on each example.

    `values` is [runs, examples] for a score that is their mean. Otherwise it is
    [terms, runs, examples] and `combine` takes means [..., terms] to scores [...]: the terms of a
    confusion matrix, say, to Matthews' coefficient.

    A score that is neither (a rank correlation) is computed anew: `again` takes how often each
    example is drawn, [replicates, examples], to scores [runs, replicates]; `values` are then the
    scores themselves, the same for every example. A score that cannot be computed is NaN, and so is
    a replicate that draws its run.
    """

    grid: Grid
    values: Array
    combine: Callable[[Array], Array] | None = None
    again: Callable[[NDArray[np.float32]], Array] | None = None

    def __post_init__(self) -> None:
        runs = len(self.grid.pretrain)
        if self.values.ndim != (2 if self.combine is None else 3):
            raise ValueError(f"values of {self.values.ndim} dimensions")
        if self.values.shape[-2] != runs or self.values.shape[-1] == 0:
            raise ValueError(f"values {self.values.shape} for {runs} runs")
        if not np.isfinite(self.values).all():
            raise ValueError("every value must be finite")

    def scores(self) -> NDArray[np.float64]:
        """The score of every run on all examples: [runs]."""
        means: NDArray[np.float64] = self.values.mean(axis=-1, dtype=np.float64)
        if self.combine is None:
            return means
        return np.asarray(self.combine(np.moveaxis(means, 0, -1)), dtype=np.float64)

    def estimate(self) -> float:
        """The mean over pretraining seeds of the mean over their runs."""
        return float(self.grid.average() @ self.scores())


def multi_bootstrap(
    arms: Sequence[Arm],
    replicates: int,
    generator: np.random.Generator,
    *,
    levels: Levels = Levels(),  # noqa: B008  frozen
    paired: bool = True,
) -> Draws:
    """Bootstrap replicates [arms, replicates] of each arm's mean score.

    All arms share the drawn examples. `paired` arms also share the drawn seeds, and must have the
    same ones: their difference is then free of what a seed does to both.

    Raises:
        ValueError: arms of unequal examples, paired arms of different seeds, an unbalanced crossed
            design whose fine-tuning seeds are to be drawn, or less than one replicate.
    """
    _check(arms, replicates, paired)
    grids = [arm.grid for arm in arms]
    weights = drawn_weights(grids, replicates, generator, levels, paired=paired)
    if levels.examples:
        drawn = _resampled(arms, weights, generator)
    else:
        drawn = np.stack([w @ arm.scores() for arm, w in zip(arms, weights, strict=True)])
    estimates = np.array([arm.estimate() for arm in arms])
    linear = all(arm.combine is None and arm.again is None for arm in arms)
    return Draws(
        estimates,
        drawn,
        tuple(_drawn_levels(arm, levels) for arm in arms),
        tuple(_overlap(arm, levels) for arm in arms),
        examples=levels.examples and linear,
        complete=linear or not levels.examples,
    )


def _resampled(
    arms: Sequence[Arm], weights: Sequence[NDArray[np.float64]], generator: np.random.Generator
) -> NDArray[np.float64]:
    """The mean score of every arm on drawn examples, for weights of runs: [arms, replicates]."""
    replicates, examples = len(weights[0]), arms[0].values.shape[-1]
    stacked, middles = zip(*(_terms(arm) for arm in arms), strict=True)
    drawn = np.empty((len(arms), replicates))
    step = block(examples)
    for start in range(0, replicates, step):
        rows = slice(start, min(start + step, replicates))
        counts = example_counts(examples, rows.stop - rows.start, generator)
        for place, arm in enumerate(arms):
            chosen = weights[place][rows]
            if arm.again is not None:
                drawn[place, rows] = _averaged(chosen, arm.again(counts))
            elif arm.combine is None:
                drawn[place, rows] = middles[place] + _means(chosen, stacked[place], counts)
            else:
                drawn[place, rows] = _combined(chosen, stacked[place], counts, arm)
    return drawn


def block(examples: int) -> int:
    """How many replicates are made at a time."""
    return max(1, min(CHUNK, NUMBERS // examples))


def _check(arms: Sequence[Arm], replicates: int, paired: bool) -> None:
    if not arms or replicates < 1:
        raise ValueError("nothing to resample")
    if len({arm.values.shape[-1] for arm in arms}) > 1:
        raise ValueError("the arms were scored on different examples")
    if paired and len({arm.grid for arm in arms}) > 1:
        raise ValueError("paired arms have the same seeds in the same order")


def _terms(arm: Arm) -> tuple[NDArray[np.float32], float]:
    """The values, less their middle for a mean: float32 then rounds differences, not sizes."""
    if arm.combine is not None:
        return np.ascontiguousarray(arm.values, dtype=np.float32), 0.0
    middle = float(np.float32(arm.estimate()))
    values = np.empty(arm.values.shape, dtype=np.float32)
    np.subtract(arm.values, middle, out=values, casting="same_kind")
    return values, middle


def _means(
    weights: NDArray[np.float64], values: NDArray[np.float32], counts: NDArray[np.float32]
) -> NDArray[np.float64]:
    """For each replicate w' M x / n; values and counts in float32, sums over examples exact."""
    mixed = weights.astype(np.float32) @ values
    total: NDArray[np.float64] = np.einsum("be,be->b", mixed, counts, dtype=np.float64)
    total /= values.shape[-1]
    return total


def _combined(
    weights: NDArray[np.float64], values: NDArray[np.float32], counts: NDArray[np.float32], arm: Arm
) -> NDArray[np.float64]:
    """The score of every run in every replicate from its terms, then the mean over runs."""
    assert arm.combine is not None
    sums = (values @ counts.T).astype(np.float64)  # [terms, runs, replicates]; of counts exact
    return _averaged(weights, arm.combine(np.moveaxis(sums / values.shape[-1], 0, -1)))


def _averaged(weights: NDArray[np.float64], scores: Array) -> NDArray[np.float64]:
    """Mean scores [replicates] of [runs, replicates]; no number only if a drawn run has none."""
    drawn = np.where(weights.T > 0, scores, 0.0)
    result: NDArray[np.float64] = np.einsum("br,rb->b", weights, drawn)
    return result


def _drawn_levels(arm: Arm, levels: Levels) -> tuple[DrawnLevel, ...]:
    """Every level that is drawn, with the empirical influence of each of its units.

    The influence of a unit is what the mean gains per weight given to it, divided by the number of
    units; their squares sum to the variance of the estimate, their cubes to its skewness (Efron
    1987). For other scores than means the examples' influence is left out: it takes a derivative.
    """
    scores, estimate = arm.scores(), arm.estimate()
    seeds = arm.grid.seeds
    of_run = np.array([seeds.index(seed) for seed in arm.grid.pretrain])
    found: list[DrawnLevel] = []
    if levels.pretrain:
        means = np.bincount(of_run, scores) / np.bincount(of_run)
        found.append(DrawnLevel((means - estimate) / len(seeds)))
    if levels.finetune and levels.design == "crossed":
        for of_column in map(places_of, arm.grid.factors):
            means = np.bincount(of_column, scores) / np.bincount(of_column)
            if means.size > 1 or not found:  # one unit adds nothing to a level above it
                found.append(DrawnLevel((means - estimate) / means.size))
    elif levels.finetune:
        means = np.bincount(of_run, scores) / np.bincount(of_run)
        within = (scores - means[of_run]) * arm.grid.average()
        found.append(DrawnLevel(within, None if levels.pretrain else of_run))
    if levels.examples and arm.combine is None and arm.again is None:
        each = np.zeros(arm.values.shape[1])
        for weight, values in zip(arm.grid.average(), arm.values, strict=True):
            each += weight * values
        found.append(DrawnLevel((each - estimate) / each.size))
    return tuple(found)


def _overlap(arm: Arm, levels: Levels) -> NDArray[np.float64]:
    """The influence of every run that pretraining and fine-tuning seeds both count: [runs].

    Crossed: the means of rows and of columns both hold the interaction, with a variance of
    r^2 / ((a - 1) (b - 1)) over its residuals r. Nested: those of rows hold all of the runs within.
    None is taken out where orders have seeds of their own.
    """
    scores, grid = arm.scores(), arm.grid
    rows, columns = places_of(grid.pretrain), places_of(grid.finetune)
    a, b = int(rows.max()) + 1, int(columns.max()) + 1
    if not (levels.pretrain and levels.finetune) or min(a, len(rows) - a) < 1 or a < 2:
        return np.zeros(scores.size)
    of_row = (np.bincount(rows, scores) / np.bincount(rows))[rows]
    if levels.design == "nested":
        within: NDArray[np.float64] = (scores - of_row) * grid.average()
        return within * math.sqrt(scores.size / (scores.size - 1))
    if grid.order or b < 2:
        return np.zeros(scores.size)
    of_column = (np.bincount(columns, scores) / np.bincount(columns))[columns]
    residual = scores - of_row - of_column + scores.mean()
    interaction: NDArray[np.float64] = residual / math.sqrt(a * b * (a - 1) * (b - 1))
    return interaction
