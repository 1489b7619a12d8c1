"""Is one procedure better than another? Permutation tests whose units are pretraining seeds.

Runs of one pretraining seed are alike, so that a test over single runs finds differences that are
not there. Here a whole seed changes sides: in a paired design (both procedures have the seed) by
the sign of its mean difference, in an unpaired one by its label.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EXACT = 1 << 14
"""Up to so many arrangements all are tried; beyond, so many random ones."""
TIE = 1e-12
"""Sums that differ by less, as a share of the sum of sizes, are ties."""

FEW_SEEDS = 8
"""Below, tests on seed means have next to no power, and shares next to no precision."""


def sign_flip_test(differences: Array, generator: np.random.Generator) -> float:
    """Two-sided p that the seeds' mean differences [seeds] are symmetric around 0.

    The share of sign flips whose mean is as far from 0 as that observed, itself included: all of
    them up to 14 seeds. Five seeds give 1/16 at the least, six 1/32.

    >>> sign_flip_test(np.ones(6), np.random.default_rng(0))
    0.03125

    Raises:
        ValueError: no differences, or one that is not finite.
    """
    values = _finite(differences)
    if 2**values.size <= EXACT:
        bits = np.arange(2**values.size)[:, None] >> np.arange(values.size) & 1
        signs = 1.0 - 2.0 * bits
        return _reached(signs @ values, float(values.sum()), values, exact=True)
    signs = generator.choice([-1.0, 1.0], size=(EXACT, values.size))
    return _reached(signs @ values, float(values.sum()), values, exact=False)


def relabel_test(ours: Array, theirs: Array, generator: np.random.Generator) -> float:
    """Two-sided p that the seeds' means of two procedures [m], [n] are from one distribution.

    The share of ways to deal the m + n seeds to the two whose difference of means is as large.

    Raises:
        ValueError: no seeds on a side, or a value that is not finite.
    """
    first, second = _finite(ours), _finite(theirs)
    everything = np.concatenate([first, second])
    m, n = first.size, second.size
    # The sum of the first then says how far the means are apart, and nothing is rounded away.
    everything = everything - everything.mean()
    observed = float(everything[:m].sum())
    if math.comb(m + n, m) <= EXACT:
        chosen = np.array(list(itertools.combinations(range(m + n), m)))
        exact = True
    else:
        chosen = generator.permuted(np.tile(np.arange(m + n), (EXACT, 1)), axis=1)[:, :m]
        exact = False
    return _reached(everything[chosen].sum(axis=1), observed, everything, exact=exact)


def least_p_of_signs(seeds: int) -> float:
    """The smallest p that `sign_flip_test` can give.

    >>> least_p_of_signs(5), least_p_of_signs(6)
    (0.0625, 0.03125)
    """
    return min(1.0, 2.0 ** (1 - seeds))


def least_p_of_labels(ours: int, theirs: int) -> float:
    """The smallest p that `relabel_test` can give.

    >>> least_p_of_labels(3, 3), round(least_p_of_labels(4, 4), 4), least_p_of_labels(1, 9)
    (0.1, 0.0286, 0.1)
    """
    return min(1.0, (2 if ours == theirs else 1) / math.comb(ours + theirs, ours))


def seeds_to_reach(alpha: float, *, paired: bool) -> int:
    """How many seeds (of each procedure) make a p of at most `alpha` possible.

    >>> seeds_to_reach(0.05, paired=True), seeds_to_reach(0.05, paired=False)
    (6, 4)
    """
    seeds = 1
    while (least_p_of_signs(seeds) if paired else least_p_of_labels(seeds, seeds)) > alpha:
        seeds += 1
    return seeds


def tie_groups(scores: Sequence[float], p: Array, alpha: float = 0.05) -> list[tuple[int, ...]]:
    """Groups of procedures that cannot be told apart, from the best `scores` down.

    `p` [k, k] holds the pairwise p-values; they are corrected by Holm's method over all pairs. A
    group is a longest stretch of the ranking in which no pair differs; one procedure may stand in
    two groups, and two that stand in none together differ.

    >>> tie_groups([3.0, 2.0, 1.0], np.array([[1, 0.9, 0.001], [0.9, 1, 0.9], [0.001, 0.9, 1]]))
    [(0, 1), (1, 2)]
    """
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    differs = holm(p) <= alpha
    groups: list[tuple[int, ...]] = []
    for start in range(len(order)):
        end = start
        while end + 1 < len(order) and not differs[order[end + 1], order[start : end + 1]].any():
            end += 1
        if not groups or end > order.index(groups[-1][-1]):
            groups.append(tuple(order[start : end + 1]))
    return groups


def holm(p: Array) -> Array:
    """Pairwise p-values [k, k], corrected over the k (k - 1) / 2 pairs (Holm 1979).

    >>> holm(np.array([[1, 0.01, 0.04], [0.01, 1, 0.03], [0.04, 0.03, 1]]))[0].tolist()
    [1.0, 0.03, 0.06]
    """
    rows, columns = np.triu_indices(len(p), 1)
    values = np.asarray(p, dtype=np.float64)[rows, columns]
    order = np.argsort(values)
    corrected = np.empty_like(values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, float(values[place]) * (values.size - rank)))
        corrected[place] = highest
    whole: Array = np.ones(np.shape(p))
    whole[rows, columns] = whole[columns, rows] = corrected
    return whole


def _finite(values: Array) -> Array:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size == 0 or not np.isfinite(numbers).all():
        raise ValueError("every seed needs a finite value")
    return numbers


def _reached(drawn: Array, observed: float, values: Array, *, exact: bool) -> float:
    """The share of drawn sums of `values` that are as far from 0 as that observed."""
    nearly = TIE * float(np.abs(values).sum())
    count = int((np.abs(drawn) >= abs(observed) - nearly).sum())
    return count / drawn.size if exact else (1 + count) / (1 + drawn.size)
