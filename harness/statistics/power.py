"""How many seeds? What a design can tell, from the variance components of a pilot.

For a crossed design of a pretraining x b fine-tuning seeds the mean score has the variance
A/a + B/b + E/(a b), with components A (pretraining), B (fine-tuning) and E (the rest); in a nested
design A/a + W/(a b). Degrees of freedom by Satterthwaite (1946). A difference of two procedures
with the same seeds (paired) has the components of the differences; with other seeds, twice those
of one procedure.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from harness.statistics.association import associations
from harness.statistics.layout import Layout, Repeated


@dataclass(frozen=True)
class Pilot:
    """Variances of one score, as a pilot estimates them; `interaction` is None when nested."""

    pretrain: float
    finetune: float
    interaction: float | None

    def doubled(self) -> "Pilot":
        """Components of the difference of two procedures with seeds of their own."""
        rest = None if self.interaction is None else 2 * self.interaction
        return Pilot(2 * self.pretrain, 2 * self.finetune, rest)


@dataclass(frozen=True)
class Precision:
    """What a design of so many seeds tells of a mean: standard error and half-width of 95 %."""

    pretrain_seeds: int
    finetune_seeds: int
    standard_error: float
    half_width: float


def precision(pilot: Pilot, pretrain: int, finetune: int, *, level: float = 0.95) -> Precision:
    """Standard error of the mean, and the expected half-width of its interval.

    Infinite half-width with one pretraining seed: its variance cannot then be estimated.
    """
    variance, freedom = _of_mean(pilot, pretrain, finetune)
    error = math.sqrt(variance)
    width = error * _quantile((1 + level) / 2, freedom)
    return Precision(pretrain, finetune, error, width)


def seeds_for_width(
    pilot: Pilot, half_width: float, finetune: Iterable[int], *, most: int = 1000
) -> list[Precision]:
    """For each number of fine-tuning seeds the fewest pretraining seeds that are precise enough.

    Numbers for which no design up to `most` pretraining seeds suffices are left out: in a crossed
    design more pretraining seeds do not make up for too few fine-tuning seeds.
    """
    found = []
    for b in finetune:
        for a in _growing(most):
            if precision(pilot, a, b).half_width <= half_width:
                least = _least(pilot, half_width, b, a)
                found.append(precision(pilot, least, b))
                break
    return found


def power_of_difference(
    pilot: Pilot, difference: float, pretrain: int, finetune: int, *, alpha: float = 0.05
) -> float:
    """Chance that a two-sided t test at `alpha` finds a true mean (difference) of that size."""
    variance, freedom = _of_mean(pilot, pretrain, finetune)
    if freedom < 1:
        return 0.0
    if variance == 0:
        return 1.0
    bound = _quantile(1 - alpha / 2, freedom)
    shift = difference / math.sqrt(variance)
    # scipy gives NaN for some tails that are far below 1e-7
    ends = np.nan_to_num(stats.nct.cdf([-bound, bound], freedom, abs(shift)))
    return float(1 - ends[1] + ends[0])


def detectable_difference(
    pilot: Pilot, pretrain: int, finetune: int, *, power: float = 0.8, alpha: float = 0.05
) -> float:
    """The smallest true difference that is found with the wanted power; infinite if none is."""
    variance, freedom = _of_mean(pilot, pretrain, finetune)
    if freedom < 1:
        return math.inf
    if variance == 0:
        return 0.0
    unit = math.sqrt(variance)

    def short(size: float) -> float:
        return power_of_difference(pilot, size * unit, pretrain, finetune, alpha=alpha) - power

    if short(0.0) >= 0:
        return 0.0
    high = 4.0
    while short(high) < 0:
        high *= 2
    return float(optimize.brentq(short, 0.0, high)) * unit


def power_of_tau(
    tau: float,
    layout: Layout,
    shares: tuple[float, float],
    generator: np.random.Generator,
    *,
    alpha: float = 0.05,
    rounds: int = 400,
    permutations: int = 199,
) -> float:
    """Chance that the permutation test of seeds finds Kendall's tau between a metric and a score.

    Simulated: both are normal with correlation sin(pi tau / 2) (Greiner's relation) at every level,
    and have the same shares of variance in pretraining and in fine-tuning seeds (`shares`, their
    sum at most 1); the layout is crossed or nested.
    """
    found = 0
    identity = np.arange(layout.runs)[None]
    for _ in range(rounds):
        x, y = _related(math.sin(math.pi * tau / 2), layout, shares, generator)
        orders = np.vstack([identity, layout.permutations(permutations, generator)])
        drawn = np.abs(associations("kendall", x[None], y, orders)[0])
        found += float((drawn >= drawn[0] - 1e-9).mean()) <= alpha
    return found / rounds


def least_p(layout: Layout | Repeated) -> float:
    """The smallest p that a permutation test of this layout can give.

    One in as many arrangements as there are; twice that where all runs may be reversed (independent
    ones, or one run per seed), which gives the same size of coefficient. Above .05 no relation can
    be significant, however strong.

    >>> least_p(Layout((0, 0, 1, 1), (0, 1, 0, 1)))
    0.25
    """
    base, times = (layout.base, layout.times) if isinstance(layout, Repeated) else (layout, 1)
    reversible = times == 1 and 1 in base.table().shape
    return min(1.0, (2 if reversible else 1) / layout.arrangements)


def _of_mean(pilot: Pilot, a: int, b: int) -> tuple[float, float]:
    """Variance of the mean and Satterthwaite's degrees of freedom (0 where it has none)."""
    if a < 2:
        whole = pilot.pretrain + pilot.finetune / b + (pilot.interaction or 0.0) / b
        return whole, 0.0
    if pilot.interaction is None:
        return pilot.pretrain / a + pilot.finetune / (a * b), a - 1
    variance = pilot.pretrain / a + pilot.finetune / b + pilot.interaction / (a * b)
    # From mean squares: variance = (MS_A + MS_B - MS_E) / (a b)
    squares = (
        (b * pilot.pretrain + pilot.interaction, a - 1),
        (a * pilot.finetune + pilot.interaction, b - 1),
        (pilot.interaction, (a - 1) * (b - 1)),
    )
    if b < 2:
        return variance, a - 1 if pilot.finetune == 0 else 0.0
    below = sum(square**2 / freedom for square, freedom in squares)
    total = squares[0][0] + squares[1][0] - squares[2][0]
    return variance, total**2 / below if below > 0 else a - 1


def _quantile(share: float, freedom: float) -> float:
    return float(stats.t.ppf(share, freedom)) if freedom > 0 else math.inf


def _growing(most: int) -> Iterator[int]:
    a = 2
    while a < most:
        yield a
        a = math.ceil(a * 1.3)
    yield most


def _least(pilot: Pilot, half_width: float, b: int, enough: int) -> int:
    a = enough
    while a > 2 and precision(pilot, a - 1, b).half_width <= half_width:
        a -= 1
    return a


def _related(
    rho: float, layout: Layout, shares: tuple[float, float], generator: np.random.Generator
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], ...]:
    table = layout.table()
    a, b = table.shape
    parts = (
        (shares[0], (2, a, 1)),
        (shares[1], (2, a if layout.design == "nested" else 1, b)),
        (max(0.0, 1 - sum(shares)), (2, a, b)),
    )
    both = np.zeros((2, a, b))
    for share, shape in parts:
        drawn = generator.normal(size=shape)
        drawn[1] = rho * drawn[0] + math.sqrt(1 - rho**2) * drawn[1]
        both += math.sqrt(share) * drawn
    flat = np.empty((2, layout.runs))
    flat[:, table.ravel()] = both.reshape(2, -1)
    return flat[0], flat[1]
