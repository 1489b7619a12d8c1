"""Intervals for variance components and their shares in a balanced design.

Each mean square is its expectation times an independent chi-square over its degrees of freedom.
Drawing the chi-squares and solving for the components gives generalized pivotal quantities
(Weerahandi 1993, Generalized confidence intervals; Hannig, Iyer, Patterson 2006), from which any
function of components, a share too, has an interval. They hold their level closely, not exactly;
the simulation in the tests says how closely.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]
Design = Literal["crossed", "nested"]

NAMES = {"crossed": ("pretrain", "finetune", "interaction"), "nested": ("pretrain", "finetune")}


@dataclass(frozen=True)
class Range:
    """An interval for a component's sd and for its share of the sum of components."""

    sd: tuple[float, float]
    share: tuple[float, float]


def component_ranges(
    table: Table,
    design: Design,
    generator: np.random.Generator,
    *,
    level: float = 0.95,
    draws: int = 10_000,
) -> dict[str, Range]:
    """Intervals by component, for a full table [a, b] of pretraining x fine-tuning seeds.

    With three seeds the interval of a pretraining share covers nearly everything: that is what
    three seeds tell.

    Raises:
        ValueError: fewer than two seeds of a kind, or a value that is not finite.
    """
    squares, freedom = mean_squares(table, design)
    drawn = [
        square * degrees / generator.chisquare(degrees, draws)
        for square, degrees in zip(squares, freedom, strict=True)
    ]
    parts = np.maximum(_solved(drawn, table.shape, design), 0.0)
    total = parts.sum(0)
    shares = np.divide(parts, total, out=np.zeros_like(parts), where=total > 0)
    ends = [(1 - level) / 2, (1 + level) / 2]
    ranges = {}
    for name, part, share in zip(NAMES[design], parts, shares, strict=True):
        sd, of_all = np.sqrt(np.quantile(part, ends)), np.quantile(share, ends)
        ranges[name] = Range((float(sd[0]), float(sd[1])), (float(of_all[0]), float(of_all[1])))
    return ranges


def mean_squares(table: Table, design: Design) -> tuple[list[float], list[int]]:
    """Mean squares and their degrees of freedom: rows, columns and rest, or rows and within.

    >>> mean_squares(np.array([[1.0, 3.0], [5.0, 7.0]]), "nested")
    ([16.0, 2.0], [1, 2])
    """
    a, b = table.shape
    if a < 2 or b < 2:
        raise ValueError(f"two seeds of each kind are needed, not {a} x {b}")
    if not np.isfinite(table).all():
        raise ValueError("every run needs a finite value")
    rows = b * float(table.mean(axis=1).var(ddof=1))
    if design == "nested":
        return [rows, float(table.var(axis=1, ddof=1).mean())], [a - 1, a * (b - 1)]
    columns = a * float(table.mean(axis=0).var(ddof=1))
    residual = table - table.mean(1, keepdims=True) - table.mean(0, keepdims=True) + table.mean()
    rest = float((residual**2).sum()) / ((a - 1) * (b - 1))
    return [rows, columns, rest], [a - 1, b - 1, (a - 1) * (b - 1)]


def _solved(squares: list[NDArray[np.float64]], shape: tuple[int, ...], design: Design) -> Table:
    a, b = shape
    if design == "nested":
        rows, within = squares
        return np.stack([(rows - within) / b, within])
    rows, columns, rest = squares
    return np.stack([(rows - rest) / b, (columns - rest) / a, rest])
