"""Does a measure follow a score when hyper-parameters change? Three stricter ways of asking.

Jiang et al. 2020 (Fantastic generalization measures, arXiv 1912.02178): granulated Kendall and
conditional mutual information. Dziugaite et al. 2020 (In search of robust measures, arXiv
2010.11924): the sign error in each environment, and the worst of them.
"""

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.statistics.association import association

Array = NDArray[np.float64]
Axes = Mapping[str, Sequence[Hashable]]
"""Values of each hyper-parameter, one per run."""


@dataclass(frozen=True)
class Granulated:
    """psi by hyper-parameter and their mean Psi; NaN where no cell varies in both quantities."""

    by_axis: Mapping[str, float]
    mean: float


def granulated_kendall(x: Array, y: Array, axes: Axes) -> Granulated:
    """Kendall's tau within groups of runs that differ in one hyper-parameter only.

    psi of an axis is the mean of tau over all settings of the other axes; Psi is the mean of psi
    over axes. What a measure owes to an axis that moves everything at once does not count for the
    others.
    """
    found = {}
    for name in axes:
        others = [values for other, values in axes.items() if other != name]
        taus = []
        for runs in _groups(list(zip(*others, strict=True)) or [()] * x.size).values():
            if len({axes[name][run] for run in runs}) > 1:
                taus.append(association("kendall", x[runs], y[runs]))
        known = [tau for tau in taus if np.isfinite(tau)]
        found[name] = float(np.mean(known)) if known else float("nan")
    known = [psi for psi in found.values() if np.isfinite(psi)]
    return Granulated(found, float(np.mean(known)) if known else float("nan"))


def conditional_mutual_information(x: Array, y: Array, axes: Axes, *, most: int = 2) -> float:
    """How much the sign of a difference of x tells of that of y, whatever is held known.

    K = min over sets S of at most `most` hyper-parameters of I(V_x; V_y | U_S) / H(V_y | U_S), over
    all ordered pairs of different runs; V are the signs of their differences, U_S both runs' values
    of the hyper-parameters in S. 0: nothing beyond what S tells; 1: everything. Ties in x or y
    leave a pair out.
    """
    first, second = np.nonzero(~np.eye(x.size, dtype=bool))
    signs_x, signs_y = np.sign(x[first] - x[second]), np.sign(y[first] - y[second])
    kept = (signs_x != 0) & (signs_y != 0)
    if not kept.any():
        return float("nan")
    first, second = first[kept], second[kept]
    up_x, up_y = signs_x[kept] > 0, signs_y[kept] > 0
    lowest = float("inf")
    for size in range(min(most, len(axes)) + 1):
        for names in itertools.combinations(axes, size):
            known = _numbered([tuple(axes[name][run] for name in names) for run in range(x.size)])
            cells = known[first] * (int(known.max()) + 1) + known[second]
            shared, entropy = _information(up_x, up_y, cells)
            if entropy > 1e-12:
                lowest = min(lowest, shared / entropy)
    return lowest if np.isfinite(lowest) else float("nan")


@dataclass(frozen=True)
class SignErrors:
    """Sign errors over environments: 0 always right, .5 a coin, 1 always wrong.

    `environments` counts those kept; all numbers are NaN where there is none.
    """

    mean: float
    ninetieth: float
    worst: float
    environments: int


def robust_sign_error(
    x: Array, y: Array, axes: Axes, *, examples: int = 10_000, least_size: float = 12.0
) -> SignErrors:
    """How often x orders two runs wrongly by y, in each environment, and in the worst.

    An environment is two settings that differ in one hyper-parameter; its pairs are a run of each.
    A pair counts by (h - 1/2)+, h = ((1 - 2 exp(-2 n (d/2)^2))+)^2, Hoeffding's bound for both of
    two scores a difference d apart, measured on n `examples`, being right: differences that may be
    noise of testing hardly count. Environments whose weights amount to fewer than `least_size`
    pairs, (sum w)^2 / sum w^2, are left out.
    """
    settings = _groups(list(zip(*axes.values(), strict=True)))
    errors = []
    for one, other in itertools.combinations(settings, 2):
        if sum(a != b for a, b in zip(one, other, strict=True)) != 1:
            continue
        i, j = (part.ravel() for part in np.meshgrid(settings[one], settings[other]))
        weights = sign_weight(y[i] - y[j], examples)
        total = float(weights.sum())
        if total > 0 and total**2 / float((weights**2).sum()) >= least_size:
            agreement = np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
            errors.append(float((weights * (1 - agreement) / 2).sum()) / total)
    if not errors:
        return SignErrors(float("nan"), float("nan"), float("nan"), 0)
    ninetieth = float(np.quantile(errors, 0.9))
    return SignErrors(float(np.mean(errors)), ninetieth, max(errors), len(errors))


def sign_weight(difference: Array, examples: int) -> Array:
    """(h - 1/2)+ of a difference of scores; see `robust_sign_error`."""
    missed = 2 * np.exp(-2 * examples * (np.abs(difference) / 2) ** 2)
    weight: Array = np.maximum(np.maximum(1 - missed, 0) ** 2 - 0.5, 0)
    return weight


def _groups(labels: Sequence[tuple[Hashable, ...]]) -> dict[tuple[Hashable, ...], list[int]]:
    groups: dict[tuple[Hashable, ...], list[int]] = {}
    for run, label in enumerate(labels):
        groups.setdefault(label, []).append(run)
    return groups


def _numbered(labels: Sequence[Hashable]) -> NDArray[np.int64]:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels])


def _information(
    up_x: NDArray[np.bool_], up_y: NDArray[np.bool_], cells: NDArray[np.int64]
) -> tuple[float, float]:
    """I(X; Y | cell) and H(Y | cell) in nats, cells weighted by their pairs."""
    _, where = np.unique(cells, return_inverse=True)
    counts = np.zeros((int(where.max()) + 1, 2, 2))
    np.add.at(counts, (where, up_x.astype(int), up_y.astype(int)), 1)
    joint = counts / counts.sum()
    cell = joint.sum((1, 2), keepdims=True)
    of_x, of_y = joint.sum(2, keepdims=True), joint.sum(1, keepdims=True)
    shared = _plogq(joint, joint * cell / np.where(of_x * of_y > 0, of_x * of_y, 1))
    return shared, -_plogq(of_y, of_y / cell)


def _plogq(p: Array, q: Array) -> float:
    return float((p * np.log(np.where(p > 0, q, 1))).sum())
