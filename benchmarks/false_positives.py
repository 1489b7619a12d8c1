"""How often tests of true null hypotheses reject, and intervals cover: simulated, no clock.

Runs are a pretraining x b fine-tuning seeds; the pretraining seed carries a share (ICC) of the
variance. A metric and a score, or two procedures, have nothing to do with each other.
"""

import json

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from harness.statistics.comparison import sign_flip_test
from harness.statistics.layout import Layout
from harness.statistics.permutation import permutation_tests

DESIGNS = ((5, 5), (10, 5), (5, 10), (10, 10))
SHARES = (0.0, 0.13, 0.57, 0.85)
ROUNDS = 1000
Table = NDArray[np.float64]


def effects(a: int, b: int, icc: float, generator: np.random.Generator) -> Table:
    """Runs [a, b] of unit variance."""
    seeds = generator.normal(0, icc**0.5, (a, 1))
    return seeds + generator.normal(0, (1 - icc) ** 0.5, (a, b))


def crossed(a: int, b: int) -> Layout:
    """A full table of runs."""
    runs = [(i, j) for i in range(a) for j in range(b)]
    return Layout(tuple(i for i, _ in runs), tuple(j for _, j in runs))


def relation(a: int, b: int, icc: float, generator: np.random.Generator) -> dict[str, float]:
    """Rejections at a nominal 5 % of: Kendall over runs, over seed means, whole seeds permuted."""
    hits = {"kendall_runs": 0, "kendall_seed_means": 0, "seeds_permuted": 0}
    layout = crossed(a, b)
    for _ in range(ROUNDS):
        x, y = effects(a, b, icc, generator), effects(a, b, icc, generator)
        hits["kendall_runs"] += stats.kendalltau(x, y).pvalue <= 0.05
        hits["kendall_seed_means"] += stats.kendalltau(x.mean(1), y.mean(1)).pvalue <= 0.05
        found = permutation_tests(x.reshape(1, -1), y.ravel(), layout, generator, permutations=199)
        hits["seeds_permuted"] += found[0].p <= 0.05
    return {name: float(count) / ROUNDS for name, count in hits.items()}


def difference(a: int, b: int, icc: float, generator: np.random.Generator) -> dict[str, float]:
    """The same for a difference of two equal procedures; and coverage of intervals of a mean."""
    hits = {"t_over_runs": 0, "seeds_flipped": 0, "run_interval_covers": 0}
    hits["seed_interval_covers"] = 0
    for _ in range(ROUNDS):
        runs = effects(a, b, icc, generator)
        hits["t_over_runs"] += stats.ttest_1samp(runs.ravel(), 0).pvalue <= 0.05
        hits["seeds_flipped"] += sign_flip_test(runs.mean(1), generator) <= 0.05
        for name, values in (("run", runs.ravel()), ("seed", runs.mean(1))):
            half = stats.t.ppf(0.975, values.size - 1) * stats.sem(values)
            hits[f"{name}_interval_covers"] += abs(values.mean()) <= half
    return {name: float(count) / ROUNDS for name, count in hits.items()}


def measure() -> dict[str, object]:
    """Rates by design and share."""
    generator = np.random.default_rng(20261120)
    return {
        f"{a} x {b}, ICC {icc}": relation(a, b, icc, generator) | difference(a, b, icc, generator)
        for a, b in DESIGNS
        for icc in SHARES
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
