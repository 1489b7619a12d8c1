"""Transfer scaling: what downstream error is left when upstream error goes to nothing.

Abnar et al. 2021 (Exploring the limits of large scale pre-training, arXiv 2110.02095): over models
that differ in size, data and time the best downstream error at each upstream error, the lower
convex hull of the points, follows e_DS = k e_US^alpha + e_inf.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Array = NDArray[np.float64]

ALPHAS = (0.02, 20.0)
"""Between which alpha is searched."""


@dataclass(frozen=True)
class Scaling:
    """The fitted law and the places of the points on the hull, by upstream error."""

    k: float
    alpha: float
    e_inf: float
    hull: tuple[int, ...]
    residual: float

    def predict(self, upstream: Array) -> Array:
        """Downstream error on the curve."""
        return self.k * np.asarray(upstream, dtype=np.float64) ** self.alpha + self.e_inf


def lower_hull(x: Array, y: Array) -> tuple[int, ...]:
    """Places of the points on the lower convex hull, by x; of equal x only the lowest.

    >>> lower_hull(np.array([0.0, 1.0, 2.0, 1.0]), np.array([1.0, 0.2, 0.0, 0.9]))
    (0, 1, 2)
    """
    hull: list[int] = []
    for place in np.lexsort((y, x)).tolist():
        if hull and x[place] == x[hull[-1]]:
            continue
        while len(hull) > 1 and _turn(x, y, hull[-2], hull[-1], place) <= 0:
            hull.pop()
        hull.append(place)
    return tuple(hull)


def fit_scaling(upstream: Array, downstream: Array) -> Scaling:
    """Least squares to the hull, with k and e_inf at least 0 and alpha positive.

    `residual` is the root mean square over the hull's points. The hull is taken first: points above
    it say what a worse choice costs and are left out.

    Raises:
        ValueError: errors not in (0, 1], or fewer than four points on the hull (three parameters).
    """
    x, y = (np.asarray(each, dtype=np.float64) for each in (upstream, downstream))
    if not all(((each > 0) & (each <= 1)).all() for each in (x, y)):
        raise ValueError("errors are shares above 0")
    hull = lower_hull(x, y)
    if len(hull) < 4:
        raise ValueError(f"{len(hull)} points on the lower hull: three parameters want four")
    places = list(hull)
    return _fit(x[places], y[places], hull)


def scaling_draws(
    upstream: Array,
    downstream: Array,
    generator: np.random.Generator,
    replicates: int = 500,
    clusters: NDArray[np.int64] | None = None,
) -> list[Scaling]:
    """Fits to points drawn with replacement, the hull taken anew each time.

    With `clusters` [points] whole clusters are drawn. A draw whose hull has fewer than four points
    is drawn again.

    Raises:
        ValueError: hardly any draw has a hull of four points.
    """
    x, y = (np.asarray(each, dtype=np.float64) for each in (upstream, downstream))
    of = np.arange(x.size) if clusters is None else clusters
    members = [np.flatnonzero(of == name) for name in np.unique(of)]
    found: list[Scaling] = []
    for _ in range(20 * replicates):
        chosen = generator.integers(0, len(members), len(members))
        drawn = np.concatenate([members[place] for place in chosen])
        try:
            found.append(fit_scaling(x[drawn], y[drawn]))
        except ValueError:
            continue
        if len(found) == replicates:
            return found
    raise ValueError("the points' lower hull is too short to resample")


def _turn(x: Array, y: Array, a: int, b: int, c: int) -> float:
    """Above 0 where a, b, c turn left: b is then on the lower hull."""
    return float((x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]))


def _fit(x: Array, y: Array, hull: tuple[int, ...]) -> Scaling:
    """For each alpha k and e_inf are linear; alpha by a grid and then a bounded search."""

    def solve(alpha: float) -> tuple[float, Array]:
        design = np.column_stack([x**alpha, np.ones_like(x)])
        parameters, missed = optimize.nnls(design, y)
        return float(missed), parameters

    grid = np.geomspace(*ALPHAS, 200)
    best = int(np.argmin([solve(alpha)[0] for alpha in grid]))
    bounds = (grid[max(0, best - 1)], grid[min(len(grid) - 1, best + 1)])
    alpha = float(
        optimize.minimize_scalar(
            lambda a: solve(a)[0], bounds=bounds, method="bounded", options={"xatol": 1e-10}
        ).x
    )
    missed, (k, e_inf) = solve(alpha)
    return Scaling(float(k), alpha, float(e_inf), hull, missed / len(x) ** 0.5)
