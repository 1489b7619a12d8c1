"""How often a predictor that adds nothing to what is known is called significant: simulated.

A metric and a score share one or three controls and nothing else. Runs are a pretraining x b
fine-tuning seeds, of which the pretraining seed carries a share (ICC) of the variance that the
controls leave.
"""

import numpy as np
from false_positives import crossed, effects
from numpy.typing import NDArray
from scipy import stats

from harness.statistics.layout import Layout
from harness.statistics.partial import partial_tests

DESIGNS = ((5, 5), (5, 10), (8, 4), (10, 10))
SHARES = (0.0, 0.5, 0.85)
ROUNDS = 1000
Array = NDArray[np.float64]


def residuals_permuted(
    x: Array, y: Array, controls: Array, layout: Layout, generator: np.random.Generator
) -> float:
    """The p of Freedman and Lane 1983 on ranks, whole seeds permuted: what is done elsewhere."""
    ranked = stats.rankdata(np.vstack([controls, x[None], y[None]]), axis=1)
    known = np.vstack([np.ones(y.size), ranked[:-2]])
    keep = np.eye(y.size) - known.T @ np.linalg.pinv(known.T)
    ours, rest = keep @ ranked[-2], keep @ ranked[-1]
    drawn = rest[layout.permutations(199, generator)] @ keep
    sizes = np.abs(drawn @ ours) / np.linalg.norm(drawn, axis=1)
    observed = abs(rest @ ours) / np.linalg.norm(rest)
    return float((1 + (sizes >= observed - 1e-9).sum()) / 200)


def rates(
    design: tuple[int, int], icc: float, known: int, generator: np.random.Generator
) -> dict[str, float]:
    """Rejections at a nominal 5 %, and how often a predictor that does add something is found."""
    a, b = design
    layout = crossed(a, b)
    hits = {"residuals_permuted": 0, "seedscape": 0, "seedscape_finds_a_true_one": 0}
    for _ in range(ROUNDS):
        controls = np.array([effects(a, b, 0.5, generator).ravel() for _ in range(known)])
        own, noise = (effects(a, b, icc, generator).ravel() for _ in range(2))
        x, y = 0.7 * controls.sum(0) + own, controls.sum(0) + noise
        hits["residuals_permuted"] += residuals_permuted(x, y, controls, layout, generator) <= 0.05
        for name, score in (("seedscape", y), ("seedscape_finds_a_true_one", y + own)):
            test = partial_tests(x[None], score, controls, layout, generator, permutations=199)
            hits[name] += test[0].p <= 0.05
    return {name: float(count) / ROUNDS for name, count in hits.items()}


def measure() -> dict[str, object]:
    """Rates by design, share and number of controls."""
    generator = np.random.default_rng(20261128)
    return {
        f"{a} x {b}, ICC {icc}, {known} controls": rates((a, b), icc, known, generator)
        for a, b in DESIGNS
        for icc in SHARES
        for known in (1, 3)
    }
