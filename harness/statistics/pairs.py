"""Do quantities of pairs go together with how far the runs of a pair lie apart in a score?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from harness.statistics.association import Array
from harness.statistics.layout import Layout, Repeated
from harness.statistics.permutation import Test, tests_of

NUMBERS = 1 << 22
"""Differences of pairs that are held at a time."""


@dataclass(frozen=True)
class Paired:
    """A quantity of pairs of runs: `values` [pairs], and the places of both runs of each."""

    values: Array
    first: NDArray[np.int64]
    second: NDArray[np.int64]


def pair_tests(
    quantities: Sequence[Paired],
    y: Array,
    layout: Layout | Repeated,
    generator: np.random.Generator,
    *,
    permutations: int = 9_999,
) -> list[Test]:
    """Mantel's test of each quantity against |y_i - y_j| over its pairs (Spearman).

    Runs are permuted as the layout allows, pairs go with them (QAP), so that it does not matter how
    many pairs share a run. Not all pairs need to be there: y alone is permuted, and which pairs
    were measured does not depend on it. All quantities are one family: they see the same
    permutations, and `p_family` is that of the largest coefficient.
    """
    orders = layout.permutations(permutations, generator)
    orders = np.vstack([np.arange(layout.runs)[None], orders])
    found = []
    for each in quantities:
        step = max(1, NUMBERS // max(1, each.values.size))
        parts = [orders[start : start + step] for start in range(0, len(orders), step)]
        found.append(np.concatenate([_coefficients(each, y, part) for part in parts]))
    drawn = np.array(found).reshape(len(quantities), -1)
    return tests_of(drawn[:, 0], np.abs(drawn[:, 1:]))


def _coefficients(pairs: Paired, y: Array, orders: NDArray[np.int64]) -> Array:
    apart = np.abs(y[orders[:, pairs.first]] - y[orders[:, pairs.second]])
    # as ranks, so that equal differences that rounding tells apart are ties
    ranks = stats.rankdata(np.round(apart, 12), axis=1)
    found: Array = _unit(ranks) @ _unit(stats.rankdata(pairs.values)[None])[0]
    return found


def _unit(rows: Array) -> Array:
    centred = rows - rows.mean(1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    unit: Array = centred / np.where(lengths <= 1e-9, np.nan, lengths)
    return unit
