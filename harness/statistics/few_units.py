"""Intervals from few drawn units: how much farther their ends lie than the replicates say.

A bootstrap of n units has a variance too small by (n - 1) / n and ends of a normal distribution
instead of a t (Hesterberg 2015, What teachers should know about the bootstrap, The American
Statistician 69). One over several levels counts what they have in common more than once (Owen
2007, The pigeonhole bootstrap, Annals of Applied Statistics 1), which makes it too wide.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

IN_TAIL = 5
"""Replicates that are beyond an end at least, so that it is no single replicate."""


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
    influences: Sequence[Array],
    overlap: Array,
    variance: float,
    level: float,
    *,
    complete: bool,
) -> float:
    """How many times farther from the estimate the ends of an interval of a mean lie.

    t sqrt(V / `variance`) / z, with V the sum over levels of n / (n - 1) times the squared
    `influences` of its n units, less the squares of `overlap` (what two levels both count), and t
    of Welch's and Satterthwaite's degrees of freedom. `variance` is that of the replicates. Where
    not `complete`, influences of examples are unknown and V starts from `variance` instead.
    """
    sizes = np.array([each.size for each in influences])
    if variance <= 0 or not sizes.size or sizes.min() < 2:
        return 1.0
    raw = np.array([float((each**2).sum()) for each in influences])
    parts = raw * sizes / (sizes - 1)
    total = float(parts.sum()) if complete else variance + float((parts - raw).sum())
    truth = max(total - float((overlap**2).sum()), float(parts.max()))
    spread = float((parts**2 / (sizes - 1)).sum())
    least = int(sizes.min()) - 1
    freedom = max(truth**2 / spread, least) if spread > 0 else math.inf
    share = (1 + level) / 2
    far = float(stats.t.ppf(share, freedom)) if math.isfinite(freedom) else stats.norm.ppf(share)
    return float(far * math.sqrt(truth / variance) / stats.norm.ppf(share))
