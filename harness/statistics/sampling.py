"""How much of the spread between runs is the finite test set, and how much is the seeds.

All runs are tested on the same n examples. A component of the variance between runs, as found on
this test set, is that of the runs on all data plus 1/n of the component of run x example. With a
component's estimate q (a quadratic form) of the mean scores and of each example's own scores,

    E q(mean) = v + s / n,  E mean_e q(example e) = v + s,

so v = (n q(mean) - mean_e q(example)) / (n - 1) is unbiased for the seeds alone, and s / n is what
testing on these examples adds. (Equal to averaging q over all pairs of two different examples.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.statistics.generalized import NAMES, Design, mean_squares


@dataclass(frozen=True)
class Separated:
    """One component: its variance on this test set, of the seeds alone, and what testing adds.

    `observed` = `seeds` + `testing`; none is cut off at 0, so that each is unbiased.
    """

    observed: float
    seeds: float
    testing: float


def separate(values: NDArray[np.float64], design: Design) -> dict[str, Separated]:
    """Components by name from scores per example, [pretraining seeds, fine-tuning seeds, examples].

    For a score that is a mean over examples.

    Raises:
        ValueError: fewer than two seeds of a kind or two examples, or values not finite.
    """
    examples = values.shape[-1]
    if examples < 2:
        raise ValueError("two examples are needed")
    observed = _components(values.mean(axis=-1, dtype=np.float64)[..., None], design)[:, 0]
    each = _components(np.asarray(values, dtype=np.float64), design).mean(1)
    testing = (each - observed) / (examples - 1)
    return {
        name: Separated(float(all_of_it), float(all_of_it - added), float(added))
        for name, all_of_it, added in zip(NAMES[design], observed, testing, strict=True)
    }


def separate_runs(values: NDArray[np.float64]) -> Separated:
    """The variance between runs as one component, from scores per example [runs, examples].

    Raises:
        ValueError: fewer than two runs or two examples.
    """
    runs, examples = values.shape
    if runs < 2 or examples < 2:
        raise ValueError("two runs and two examples are needed")
    observed = float(values.mean(axis=1, dtype=np.float64).var(ddof=1))
    each = float(np.var(values, axis=0, ddof=1, dtype=np.float64).mean())
    testing = (each - observed) / (examples - 1)
    return Separated(observed, observed - testing, testing)


def _components(values: NDArray[np.float64], design: Design) -> NDArray[np.float64]:
    """Unbiased components [parts, examples] of every example's own table."""
    a, b, _ = values.shape
    mean_squares(values[..., 0], design)  # refuses what has no components
    rows = values.mean(axis=1)
    of_rows = b * rows.var(axis=0, ddof=1)
    if design == "nested":
        within = values.var(axis=1, ddof=1).mean(axis=0)
        return np.stack([(of_rows - within) / b, within])
    columns = values.mean(axis=0)
    of_columns = a * columns.var(axis=0, ddof=1)
    residual = values - rows[:, None] - columns[None] + rows.mean(axis=0)
    rest = (residual**2).sum(axis=(0, 1)) / ((a - 1) * (b - 1))
    return np.stack([(of_rows - rest) / b, (of_columns - rest) / a, rest])
