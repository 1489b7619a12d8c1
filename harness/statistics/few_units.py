"""Intervals from few drawn units: how much farther their ends lie than the replicates say.

A bootstrap of n units has a variance too small by (n - 1) / n and ends of a normal distribution
instead of a t (Hesterberg 2015, What teachers should know about the bootstrap, The American
Statistician 69). One over several levels counts what they have in common more than once (Owen
2007, The pigeonhole bootstrap, Annals of Applied Statistics 1), which makes it too wide.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

IN_TAIL = 5
"""Replicates that are beyond an end at least, so that it is no single replicate."""


@dataclass(frozen=True)
class DrawnLevel:
    """The influence [units] of every unit of a level that is drawn on the estimate.

    `strata` [units] number the units that are drawn among each other alone, such as the runs of
    each pretraining seed where these seeds are held fixed; without it all units are.
    """

    influences: Array
    strata: NDArray[np.int64] | None = None

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many units each stratum has."""
        if self.strata is None:
            return np.array([self.influences.size])
        return np.bincount(self.strata)

    @property
    def freedom(self) -> float:
        """Welch's and Satterthwaite's degrees of freedom, where units vary alike in all strata.

        A stratum of n units then has 1 / n of the variance: a (n - 1) of a equal strata, and fewer
        where small strata have most of it.
        """
        return float((1 / self.sizes).sum() ** 2 / (1 / self.sizes**2 / (self.sizes - 1)).sum())

    @property
    def squares(self) -> float:
        """The sum of squared influences: the variance of replicates that draw this level alone."""
        return float((self.influences**2).sum())

    @property
    def variance(self) -> float:
        """The same without bias: the squares of a stratum of n units times n / (n - 1)."""
        places = np.zeros(self.influences.size, int) if self.strata is None else self.strata
        return float(
            (np.bincount(places, self.influences**2) * self.sizes) @ (1 / (self.sizes - 1))
        )

    def less(self, other: "DrawnLevel") -> "DrawnLevel":
        """The influences on the difference of two estimates that share the units."""
        return DrawnLevel(self.influences - other.influences, self.strata)

    def turned(self) -> "DrawnLevel":
        """The influences on the estimate with its sign changed."""
        return DrawnLevel(-self.influences, self.strata)

    def like(self, other: "DrawnLevel") -> bool:
        """Whether the other can have the same units."""
        return self.influences.shape == other.influences.shape


def expanded_level(units: int, level: float, replicates: int) -> float:
    """The level of the percentiles that cover `level` with so few units (Hesterberg 2015).

    Each tail is Phi(-sqrt(n / (n - 1)) t), with t the quantile of n - 1 degrees of freedom, and
    holds 5 replicates at least: with 2,000 that binds at 6 units or fewer.

    >>> [round(expanded_level(n, 0.95, 10_000), 4) for n in (4, 8, 25, 1000)]
    [0.999, 0.9885, 0.9648, 0.9504]

    Raises:
        ValueError: fewer than two units.
    """
    if units < 2:
        raise ValueError("nothing is known of other units from one")
    far = math.sqrt(units / (units - 1)) * stats.t.ppf((1 + level) / 2, units - 1)
    tail = max(float(stats.norm.cdf(-far)), IN_TAIL / replicates)
    return max(level, 1 - 2 * tail)


def stretch(
    levels: Sequence[DrawnLevel],
    overlap: Array,
    variance: float,
    level: float,
    *,
    complete: bool,
) -> float:
    """How many times farther from the estimate the ends of an interval of a mean lie.

    t sqrt(V / `variance`) / z, with V the sum of the levels' unbiased variances, less the squares
    of `overlap` (what two levels both count), and t of Welch's and Satterthwaite's degrees of
    freedom. `variance` is that of the replicates. Where not `complete`, influences of examples are
    unknown and V starts from `variance` instead.
    """
    if variance <= 0 or min((int(each.sizes.min()) for each in levels), default=0) < 2:
        return 1.0
    parts = np.array([each.variance for each in levels])
    added = parts - np.array([each.squares for each in levels])
    total = float(parts.sum()) if complete else variance + float(added.sum())
    truth = max(total - float((overlap**2).sum()), float(parts.max()))
    free = np.array([each.freedom for each in levels])
    spread = float((parts**2 / free).sum())
    least = float(free.min())
    freedom = max(truth**2 / spread, least) if spread > 0 else math.inf
    share = (1 + level) / 2
    far = float(stats.t.ppf(share, freedom)) if math.isfinite(freedom) else stats.norm.ppf(share)
    return float(far * math.sqrt(truth / variance) / stats.norm.ppf(share))
