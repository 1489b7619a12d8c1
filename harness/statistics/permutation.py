"""Does a metric go together with a score? Tests that know of seeds, and of how many were tried."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.statistics.association import Array, Kind, associations
from harness.statistics.layout import Layout, Repeated

CEILING = 1e-9  # coefficients that differ by less are ties


@dataclass(frozen=True)
class Test:
    """A predictor's coefficient and its two-sided p-values.

    `p` is for this predictor alone, `p_family` for the largest of all that were tried (max-T),
    `p_screen` is Benjamini and Hochberg's adjusted p. A predictor that does not vary has NaN.
    """

    coefficient: float
    p: float
    p_family: float
    p_screen: float


def permutation_tests(
    xs: Array,
    y: Array,
    layout: Layout | Repeated,
    generator: np.random.Generator,
    *,
    kind: Kind = "kendall",
    permutations: int = 9_999,
) -> list[Test]:
    """Tests of predictors xs [predictors, runs] against y [runs].

    y is permuted as the layout allows, in the same way for all predictors, which keeps what they
    have in common: max-T (Westfall and Young 1993) is no stricter than it must be. p-values are
    (1 + how many permutations reach the coefficient) / (1 + permutations), never 0; they are exact
    under the null hypothesis that predictors and y are independent of each other.
    """
    observed = associations(kind, xs, y, np.arange(layout.runs)[None])[:, 0]
    orders = layout.permutations(permutations, generator)
    return tests_of(observed, np.abs(associations(kind, xs, y, orders)))


def tests_of(observed: Array, drawn: Array) -> list[Test]:
    """Tests from coefficients [predictors] and the sizes [predictors, permutations] drawn.

    A size that is NaN (nothing varied in that arrangement) is 0, no relation, for all tests alike.
    """
    shown = np.repeat(np.abs(observed)[:, None], drawn.shape[1], axis=1)
    return tests_against(observed, shown, np.nan_to_num(drawn))


def tests_against(observed: Array, shown: Array, drawn: Array) -> list[Test]:
    """The same where every permutation has a size of its own to be reached.

    `shown` and `drawn` are [predictors, permutations]; `observed` are the coefficients.
    """
    permutations = drawn.shape[1]
    alone = (1 + (drawn >= shown - CEILING).sum(1)) / (1 + permutations)
    varies = np.isfinite(observed)
    family = np.full(len(observed), np.nan)
    if varies.any():
        # The coefficient itself counts among the draws: else the test is no longer exact.
        everything = np.column_stack([shown[:, :1], drawn])[varies]
        scale = np.ones(len(observed))
        scale[varies] = np.sqrt((everything**2).mean(1))
        scale[scale == 0] = 1.0
        highest = (drawn[varies] / scale[varies, None]).max(0)
        family = 1 + (highest >= shown / scale[:, None] - CEILING).sum(1)
        family = family / (1 + permutations)
    alone, family = (np.where(varies, p, np.nan) for p in (alone, family))
    screened = benjamini_hochberg(alone)
    return [
        Test(*(float(number) for number in numbers))
        for numbers in zip(observed, alone, family, screened, strict=True)
    ]


def weaker(one: Sequence[Test], other: Sequence[Test]) -> list[Test]:
    """Of two tests of each predictor the larger p-values, with the coefficients of the first.

    Where the other finds nothing that varies, its p is 1.
    """
    pairs = list(zip(one, other, strict=True))
    p = [max(a.p, 1.0 if np.isnan(b.p) else b.p) for a, b in pairs]
    screened = benjamini_hochberg(p)
    return [
        Test(
            a.coefficient,
            alone,
            max(a.p_family, 1.0 if np.isnan(b.p_family) else b.p_family),
            float(screen),
        )
        for (a, b), alone, screen in zip(pairs, p, screened, strict=True)
    ]


def benjamini_hochberg(p: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p-values that bound the false discovery rate; NaN stays NaN and is not counted.

    Benjamini and Hochberg 1995: min over larger p of p * count / rank.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known])[::-1]]  # largest first
    lowest = 1.0
    for rank, place in zip(range(len(order), 0, -1), order, strict=True):
        lowest = min(lowest, float(values[place]) * len(order) / rank)
        adjusted[place] = lowest
    return adjusted


def mantel(
    first: Array,
    second: Array,
    layout: Layout,
    generator: np.random.Generator,
    *,
    kind: Kind = "spearman",
    permutations: int = 9_999,
) -> Test:
    """Do two matrices over the same runs go together (barriers, and differences of OOD scores)?

    Mantel 1967, with runs permuted as the layout allows (QAP): pairs share runs, so that their
    number is no sample size. Both matrices are symmetric [runs, runs]; diagonals are not looked at.
    """
    above = np.triu_indices(layout.runs, 1)
    orders = layout.permutations(permutations, generator)
    identity = np.arange(above[0].size)[None]
    ours = first[above][None]
    observed = float(associations(kind, ours, second[above], identity)[0, 0])
    reached = 0
    for order in orders:
        moved = second[np.ix_(order, order)][above]
        coefficient = float(associations(kind, ours, moved, identity)[0, 0])
        reached += abs(coefficient) >= abs(observed) - CEILING
    p = (1 + reached) / (1 + permutations) if np.isfinite(observed) else float("nan")
    return Test(observed, p, p, p)
