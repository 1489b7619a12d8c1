"""Variance components of any design: restricted maximum likelihood.

y = mu + sum_k Z_k u_k + e with independent normal effects; factors may be crossed, nested, and
unbalanced. REML (Patterson and Thompson 1971) maximises the likelihood of contrasts free of mu:

    -2 l = log |V| + log 1'V^-1 1 + y'P y,  V = sum_k v_k Z_k Z_k' + v_e I.

In a balanced design with no negative ANOVA estimate it gives the ANOVA estimates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

Array = NDArray[np.float64]
REST = "rest"


@dataclass(frozen=True)
class Fit:
    """Estimated variances by factor and of the `rest`; `mean` is the generalised least squares one.

    `deviance` is -2 times the restricted log-likelihood, but for a constant.
    """

    variances: Mapping[str, float]
    mean: float
    deviance: float
    converged: bool


def fit(values: Sequence[float], factors: Mapping[str, Sequence[object]]) -> Fit:
    """Components of a score over runs; `factors` gives every run's level of each factor.

    Raises:
        ValueError: values not finite or all equal, a factor with one level, or a factor whose
            levels are as many as there are runs (it cannot be told from the rest), or two factors
            that group the runs alike.
    """
    y = np.asarray(values, dtype=np.float64)
    shapes = kernels(y, factors)
    scale = float(y.var(ddof=1))
    restricted = _Restricted((y - y.mean()) / np.sqrt(scale), [*shapes.values(), np.eye(y.size)])
    start = np.full(len(shapes) + 1, 1 / (len(shapes) + 1))
    bounds = [(0.0, None)] * len(shapes) + [(1e-10, None)]
    best = optimize.minimize(
        restricted.deviance,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9},
    )
    found = {
        name: float(value) * scale for name, value in zip([*shapes, REST], best.x, strict=True)
    }
    mean = float(y.mean() + restricted.mean(best.x) * np.sqrt(scale))
    deviance = float(best.fun) + (y.size - 1) * float(np.log(scale))
    return Fit(found, mean, deviance, bool(best.success))


def kernels(y: Array, factors: Mapping[str, Sequence[object]]) -> dict[str, Array]:
    """Z Z' of every factor: 1 where two runs share a level."""
    if not np.isfinite(y).all():
        raise ValueError("every run needs a finite value")
    if y.size < 2 or float(np.ptp(y)) == 0:  # the variance of equal numbers need not round to 0
        raise ValueError("all runs score the same")
    found: dict[str, Array] = {}
    for name, labels in factors.items():
        levels = {label: place for place, label in enumerate(dict.fromkeys(labels))}
        if len(levels) in (1, y.size):
            many = "one level" if len(levels) == 1 else "a level of its own for every run"
            raise ValueError(f"{name} has {many}")
        place = np.array([levels[label] for label in labels])
        kernel = (place[:, None] == place).astype(np.float64)
        for other, theirs in found.items():
            if np.array_equal(kernel, theirs):
                raise ValueError(f"{other} and {name} group the runs alike")
        found[name] = kernel
    return found


@dataclass(frozen=True)
class _Restricted:
    y: Array
    shapes: Sequence[Array]

    def deviance(self, variances: Array) -> tuple[float, Array]:
        """-2 l and its gradient."""
        projected, logs = self._projection(variances)
        fitted = projected @ self.y
        gradient = [
            float(np.vdot(projected, shape)) - float(fitted @ shape @ fitted)
            for shape in self.shapes
        ]
        return logs + float(self.y @ fitted), np.array(gradient)

    def mean(self, variances: Array) -> float:
        """1'V^-1 y / 1'V^-1 1."""
        solved = linalg.cho_solve(self._factor(variances), np.ones_like(self.y))
        return float(solved @ self.y) / float(solved.sum())

    def _factor(self, variances: Array) -> tuple[Array, bool]:
        total = sum(v * shape for v, shape in zip(variances, self.shapes, strict=True))
        factor: tuple[Array, bool] = linalg.cho_factor(total, lower=True)
        return factor

    def _projection(self, variances: Array) -> tuple[Array, float]:
        factor = self._factor(variances)
        inverse = linalg.cho_solve(factor, np.eye(self.y.size))
        ones = inverse.sum(1)
        information = float(ones.sum())
        logs = 2 * float(np.log(np.diag(factor[0])).sum()) + float(np.log(information))
        return inverse - np.outer(ones, ones) / information, logs
