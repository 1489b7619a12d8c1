"""Curves of metrics: their mean over subjects, and some of the curves themselves."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from harness.analyze.frames import Record, grouped, records
from harness.api.pictures import Line, MeanCurve

LINES = 12  # curves of single subjects that are kept
POINTS = 240  # of each of them

_BY = ["procedure", "metric", "of", "curve", "quantity", "split", "pair_kind"]
_Numbers = tuple[float, ...]
_Line = tuple[_Numbers, _Numbers]
T = TypeVar("T")


def mean_curves(curves: pd.DataFrame) -> tuple[MeanCurve, ...]:
    """Mean, least and greatest height over the subjects of one kind, and some of their curves.

    A NaN at a point makes the mean NaN there, and is not skipped. Where the subjects have different
    `x` there is no mean.
    """
    found = []
    for rows in grouped(records(curves), _BY):
        each = grouped(rows, ["key"])
        first = rows[0]
        of = {name: first[name] for name in (*_BY, "against")}
        found.append(
            MeanCurve(
                **of,
                **_mean([[p["y"] for p in one] for one in each], [_x(one) for one in each]),
                subjects=len(each),
                axis=first["axis"] or "",
                labels=tuple(p["label"] for p in each[0] if p["label"] is not None),
                lines=tuple(_line(one) for one in spread_over(each, LINES)),
            )
        )
    return tuple(found)


def _x(points: list[Record]) -> tuple[float, ...]:
    return tuple(p["x"] for p in points)


def _mean(heights: list[list[float]], places: list[tuple[float, ...]]) -> dict[str, _Numbers]:
    if len(set(places)) > 1:
        return dict.fromkeys(("x", "mean", "minimum", "maximum"), ())
    table = np.asarray(heights, dtype=np.float64)
    parts = {"mean": table.mean(axis=0), "minimum": table.min(axis=0), "maximum": table.max(axis=0)}
    return {"x": places[0], **{name: tuple(part.tolist()) for name, part in parts.items()}}


def _line(points: list[Record]) -> Line:
    x, y = thinned(_x(points), tuple(p["y"] for p in points))
    return Line(runs=tuple(points[0]["subject"].split(" ")), x=x, y=y)


def spread_over(things: Sequence[T], number: int) -> list[T]:
    """At most so many of them, evenly from the first to the last.

    >>> spread_over([0, 1, 2, 3, 4, 5, 6, 7, 8], 3), spread_over([0, 1], 3)
    ([0, 4, 8], [0, 1])
    """
    if len(things) <= number:
        return list(things)
    return [things[round(place)] for place in np.linspace(0, len(things) - 1, number)]


def thinned(x: Sequence[float], y: Sequence[float], number: int = POINTS) -> _Line:
    """The curve by at most so many of its points: of each stretch its lowest and its highest.

    A NaN counts as the highest, so that a hole remains one.

    >>> thinned(range(8), [0, 0, 9, 0, -9, 0, 0, 0], 6)
    ((0, 1, 2, 4, 5, 7), (0, 0, 9, -9, 0, 0))
    """
    if len(x) <= number:
        return tuple(x), tuple(y)
    heights = np.asarray(y, dtype=np.float64)
    kept = {0, len(x) - 1}
    for stretch in np.array_split(np.arange(1, len(x) - 1), (number - 2) // 2):
        here = heights[stretch]
        low = int(stretch[int(np.argmin(np.where(np.isnan(here), np.inf, here)))])
        kept |= {low, int(stretch[int(np.argmax(here))])}  # argmax finds a NaN
    places = sorted(kept)
    return tuple(x[i] for i in places), tuple(y[i] for i in places)
