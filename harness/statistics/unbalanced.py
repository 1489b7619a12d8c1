"""Intervals for variance components of any design: missing runs, nesting, more than two factors.

For every factor k let M project on what k explains beyond the mean and all factors that can be
taken out without taking out k (fitting constants: Henderson 1953, method III). Then y'M y is a sum
of (c_i + l_i v_k) chi2_1, with l_i the eigenvalues of M Z_k Z_k' M and c_i what the rest (and
factors nested in k) add. Drawing the chi2 and solving for v_k gives generalized pivotal quantities
as in `generalized`, which this is in a balanced design. Sums of squares of two factors are drawn
independently, which in an unbalanced design they are only nearly; likewise the c_i of nested
factors, exact in a balanced design. The tests say by simulation how well the level is held.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from harness.statistics.generalized import Range
from harness.statistics.reml import REST

Array = NDArray[np.float64]
Factors = Mapping[str, Sequence[object]]
TINY = 1e-9


@dataclass(frozen=True)
class Part:
    """What a factor explains: orthonormal directions [runs, r], and the weights of variances in it.

    `weights` are the variances l_i [r] of the factor's own component in the directions, `others`
    those of the factors that could not be taken out.
    """

    directions: Array
    weights: Array
    others: Mapping[str, Array]


@dataclass(frozen=True)
class Decomposition:
    """A design's parts by factor, those first on which others depend, and the rest's degrees."""

    parts: Mapping[str, Part]
    explained: Array
    freedom: int

    def rest(self, y: Array) -> float:
        """The sum of squares that no factor explains."""
        left = y - self.explained @ (self.explained.T @ y)
        return float(left @ left)


def decompose(factors: Factors) -> Decomposition:
    """The design's parts.

    Raises:
        ValueError: a factor has nothing of its own, or nothing is left for the rest.
    """
    designs = {name: _indicators(labels) for name, labels in factors.items()}
    runs = len(next(iter(designs.values())))
    mean = np.ones((runs, 1))
    parts = {}
    for name, own in designs.items():
        out = [mean]
        kept = {}
        for other, theirs in designs.items():
            if other == name:
                continue
            if _rank(own) < _rank(theirs) == _rank(np.hstack([theirs, own])):
                kept[other] = theirs  # nested in this factor: taking it out leaves nothing
            else:
                out.append(theirs)
        parts[name] = _part(name, own, _basis(np.hstack(out)), kept)
    explained = _basis(np.hstack([mean, *designs.values()]))
    freedom = runs - explained.shape[1]
    if freedom < 1:
        raise ValueError("too few runs: nothing is left for what no seed explains")
    ordered = dict(sorted(parts.items(), key=lambda item: len(item[1].others)))
    return Decomposition(ordered, explained, freedom)


def factor_ranges(
    values: Sequence[float],
    design: Decomposition,
    generator: np.random.Generator,
    *,
    level: float = 0.95,
    draws: int = 10_000,
) -> dict[str, Range]:
    """Intervals for every factor's sd and share, and for those of the "rest"."""
    y = np.asarray(values, dtype=np.float64)
    y = y - y.mean()
    drawn = {REST: design.rest(y) / generator.chisquare(design.freedom, draws)}
    for name, part in design.parts.items():
        square = float(((part.directions.T @ y) ** 2).sum())
        chi = generator.chisquare(1, (draws, part.weights.size))
        known = drawn[REST][:, None] + sum(
            np.maximum(drawn[other], 0.0)[:, None] * weights
            for other, weights in part.others.items()
        )
        drawn[name] = (square - (known * chi).sum(1)) / (chi @ part.weights)
    components = {name: np.maximum(drawn[name], 0.0) for name in (*design.parts, REST)}
    total = np.sum(list(components.values()), axis=0)
    ends = [(1 - level) / 2, (1 + level) / 2]
    found = {}
    for name, variance in components.items():
        share = np.divide(variance, total, out=np.zeros(draws), where=total > 0)
        sd, of_all = np.sqrt(np.quantile(variance, ends)), np.quantile(share, ends)
        found[name] = Range((float(sd[0]), float(sd[1])), (float(of_all[0]), float(of_all[1])))
    return found


def intraclass_range(
    values: Sequence[float], groups: Sequence[object], *, level: float = 0.95
) -> tuple[float, float]:
    """The exact interval of the intraclass correlation of runs in groups, equal in size or not.

    Wald (1940, A note on the analysis of variance with unequal class frequencies): for the ratio
    t of components, sum (w_i'y)^2 / (1 + l_i t) over its degrees and the mean square within has an
    F distribution, and falls with t.

    Raises:
        ValueError: fewer than two groups, or no group of two.
    """
    design = decompose({"group": groups})
    part = design.parts["group"]
    y = np.asarray(values, dtype=np.float64)
    y = y - y.mean()
    squares = (part.directions.T @ y) ** 2
    within = design.rest(y) / design.freedom
    if within <= TINY * float(squares.sum()):
        return 1.0, 1.0

    def above(ratio: float, bound: float) -> float:
        return float((squares / (1 + part.weights * ratio)).mean()) / within - bound

    ends = []
    for share in ((1 + level) / 2, (1 - level) / 2):
        bound = float(stats.f.ppf(share, squares.size, design.freedom))
        if above(0.0, bound) <= 0:
            ends.append(0.0)
            continue
        high = 1.0
        while above(high, bound) > 0:
            high *= 4
        ratio = float(optimize.brentq(above, 0.0, high, args=(bound,)))
        ends.append(ratio / (1 + ratio))
    return ends[0], ends[1]


def _indicators(labels: Sequence[object]) -> Array:
    levels = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    return np.eye(len(levels))[[levels[label] for label in labels]]


def _basis(columns: Array) -> Array:
    """Orthonormal columns that span the same."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, sizes > TINY * sizes[0]]


def _rank(columns: Array) -> int:
    return int(np.linalg.matrix_rank(columns))


def _part(name: str, own: Array, out: Array, kept: Mapping[str, Array]) -> Part:
    left, sizes, _ = np.linalg.svd(own - out @ (out.T @ own), full_matrices=False)
    there = sizes > 1e-7
    if not there.any():
        raise ValueError(f"{name} cannot be told from the other seeds")
    directions = left[:, there]
    others = {other: ((directions.T @ theirs) ** 2).sum(1) for other, theirs in kept.items()}
    return Part(directions, sizes[there] ** 2, others)
