"""Intervals and p-values from bootstrap replicates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from harness.statistics.few_units import DrawnLevel, expanded_level, stretch

Method = Literal["percentile", "bca"]
LOST = 0.05
"""The share of draws without a score, above which the others tell nothing of the ends."""
TIE = 1e-4
"""Replicates nearer to the estimate, in sd, are ties: every unit drawn once, but for rounding."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval of `level`, say 0.95."""

    low: float
    high: float
    level: float
    method: Method


@dataclass(frozen=True)
class Draws:
    """Estimates [arms], their replicates [arms, replicates], and drawn levels by arm.

    `examples` says that the last level of every arm is the examples, which all arms share.
    `overlaps` [arms] hold for every run the influence that two levels of seeds both count.
    `complete` says that no level that was drawn lacks its influences.
    """

    estimates: NDArray[np.float64]
    replicates: NDArray[np.float64]
    levels: tuple[tuple[DrawnLevel, ...], ...]
    overlaps: tuple[NDArray[np.float64], ...]
    examples: bool = False
    complete: bool = True

    def difference(self, first: int = 0, second: int = 1, *, paired: bool = True) -> "Draws":
        """The draws of arm `second` less arm `first`, as one arm.

        `paired` says that the arms share their seeds, so that influences are subtracted unit by
        unit; otherwise only those of what they share, the examples, are.
        """
        estimates = self.estimates[second] - self.estimates[first]
        replicates = self.replicates[second] - self.replicates[first]
        ours, theirs = self.levels[first], self.levels[second]
        same = [a.like(b) for a, b in zip(ours, theirs, strict=False)]
        before, after = self.overlaps[first], self.overlaps[second]
        overlap = np.concatenate([-before, after])
        if paired and all(same) and len(ours) == len(theirs):
            overlap = after - before
            joint = tuple(b.less(a) for a, b in zip(ours, theirs, strict=True))
        elif self.examples:
            joint = (*(a.turned() for a in ours[:-1]), *theirs[:-1], theirs[-1].less(ours[-1]))
        else:
            joint = (*(a.turned() for a in ours), *theirs)
        return Draws(
            np.array([estimates]),
            replicates[None, :],
            (joint,),
            (overlap,),
            self.examples,
            self.complete,
        )

    def known(self, arm: int = 0) -> NDArray[np.float64]:
        """The replicates of an arm that are numbers: some have no score on their examples."""
        values = self.replicates[arm]
        known: NDArray[np.float64] = values[np.isfinite(values)]
        return known

    def seeds(self, arm: int = 0) -> tuple[DrawnLevel, ...]:
        """The levels of an arm that are seeds: all but the examples."""
        return self.levels[arm][:-1] if self.examples else self.levels[arm]

    def told(
        self,
        arm: int = 0,
        *,
        level: float = 0.95,
        method: Method = "bca",
        within: tuple[float, float] = (-math.inf, math.inf),
    ) -> Interval | None:
        """The interval to print: BCa over seeds is `stretched`, and no end lies out of `within`.

        None where it would tell nothing: of other seeds from one, or where more than `LOST` of the
        draws have no score.
        """
        if any(int(each.sizes.min()) < 2 for each in self.seeds(arm)):
            return None
        if self.known(arm).size < (1 - LOST) * self.replicates.shape[1]:
            return None
        if method == "bca" and self.seeds(arm):
            found = self.stretched(arm, level=level)
        else:
            found = self.interval(arm, level=level, method=method)
        low, high = (min(max(end, within[0]), within[1]) for end in (found.low, found.high))
        return replace(found, low=low, high=high)

    def interval(self, arm: int = 0, *, level: float = 0.95, method: Method = "bca") -> Interval:
        """The interval of an arm from its known replicates; see `percentile` and `bca`."""
        values = self.known(arm)
        if method == "percentile":
            return percentile(values, level)
        skew = acceleration([each.influences for each in self.levels[arm]])
        return bca(values, float(self.estimates[arm]), skew, level)

    def stretched(self, arm: int = 0, *, level: float = 0.95) -> Interval:
        """The BCa interval, its ends moved to where few units put them: see `stretch`."""
        near = self.interval(arm, level=level)
        estimate, variance = float(self.estimates[arm]), self.standard_error(arm) ** 2
        levels, overlap = self.levels[arm], self.overlaps[arm]
        by = stretch(levels, overlap, variance, level, complete=self.complete)
        low, high = (estimate + by * (end - estimate) for end in (near.low, near.high))
        return Interval(low, high, level, near.method)

    def standard_error(self, arm: int = 0) -> float:
        """The sd (ddof=1) of an arm's known replicates."""
        return float(self.known(arm).std(ddof=1))

    def p_not_above(self, arm: int = 0, than: float = 0.0) -> float:
        """One-sided: the share of replicates not above `than`, at least 1 / replicates.

        One that is no number is not above it.
        """
        values = self.replicates[arm]
        return max(float((~(values > than)).mean()), 1 / len(values))


def percentile(
    replicates: NDArray[np.float64], level: float = 0.95, *, units: int | None = None
) -> Interval:
    """The middle `level` of the replicates; more of them where they draw `units`, which are few."""
    wide = level if units is None else expanded_level(units, level, replicates.size)
    low, high = np.quantile(replicates, [(1 - wide) / 2, (1 + wide) / 2])
    return Interval(float(low), float(high), level, "percentile")


def bca(
    replicates: NDArray[np.float64], estimate: float, acceleration: float, level: float = 0.95
) -> Interval:
    """Bias-corrected and accelerated (Efron 1987, Better bootstrap confidence intervals).

    Ends are the quantiles Phi(z0 + (z0 + z) / (1 - a (z0 + z))) of the replicates, with z0 the
    normal quantile of the share of replicates below the estimate (ties count half) and `a` the
    acceleration. Where all replicates are on one side of the estimate, or the correction leaves
    its range, this is the percentile interval.
    """
    apart = replicates - estimate
    nearly = TIE * float(replicates.std())
    below = float((apart < -nearly).mean() + (np.abs(apart) <= nearly).mean() / 2)
    if not 0 < below < 1:
        return percentile(replicates, level)
    bias = float(stats.norm.ppf(below))
    shares = []
    for z in stats.norm.ppf([(1 - level) / 2, (1 + level) / 2]):
        scale = 1 - acceleration * (bias + z)
        if scale <= 0:
            return percentile(replicates, level)
        shares.append(float(stats.norm.cdf(bias + (bias + z) / scale)))
    low, high = np.quantile(replicates, shares)
    return Interval(float(low), float(high), level, "bca")


def acceleration(influences: Sequence[NDArray[np.float64]]) -> float:
    """Efron's a = sum l^3 / (6 (sum l^2)^1.5) over the influences l of all units of all levels."""
    squares = math.fsum(float((level**2).sum()) for level in influences)
    if squares == 0:
        return 0.0
    cubes = math.fsum(float((level**3).sum()) for level in influences)
    return cubes / (6 * squares * math.sqrt(squares))
