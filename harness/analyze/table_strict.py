"""Stricter tests of predictors over hyper-parameters that repeat."""

import numpy as np

from harness.analyze.table import RunTable
from harness.api.numbers import words
from harness.api.tables import StrictTest
from harness.statistics.hyperparameters import (
    conditional_mutual_information,
    granulated_kendall,
    robust_sign_error,
)

MOST_RUNS = 1_000
"""Runs beyond which pairs of runs are too many to go through."""
EXAMPLES = 10_000
"""How many examples a score is taken to rest on where nobody says."""


def discrete_axes(table: RunTable) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The controls whose values repeat, and what to say of the others.

    A control counts where its values are half as many as the runs, or fewer.
    """
    runs = len(table.labels)
    axes = {name: of for name, of in table.axes.items() if 1 < len(set(of)) <= runs / 2}
    other = [f"'{name}'" for name in table.axes if name not in axes]
    if not table.axes or not other:
        return axes, []
    told = words(other)
    return axes, [f"strict tests over hyper-parameters leave out {told}: values hardly repeat"]


def strict_tests(table: RunTable, target: str, examples: int | None) -> list[StrictTest]:
    """One per predictor, and one for the in-domain score."""
    axes, _ = discrete_axes(table)
    if not axes or len(table.labels) > MOST_RUNS:
        return []
    y = table.numbers[target]
    found = []
    for name in (table.columns.id, *table.columns.predictors):
        x = table.numbers[name]
        kendall = granulated_kendall(x, y, axes)
        errors = robust_sign_error(x, y, axes, examples=examples or EXAMPLES)
        found.append(
            StrictTest(
                target=target,
                predictor=name,
                axes=tuple(axes),
                granulated=_number(kendall.mean),
                by_axis={axis: _number(psi) for axis, psi in kendall.by_axis.items()},
                information=_number(conditional_mutual_information(x, y, axes)),
                mean_error=_number(errors.mean),
                ninetieth=_number(errors.ninetieth),
                worst_error=_number(errors.worst),
                environments=errors.environments,
            )
        )
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
