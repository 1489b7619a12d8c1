"""Rows of a plane as readings of their own, and the whole plane of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.readings import Grid, Reading, Value
from harness_landscape.surface import Surface

if TYPE_CHECKING:
    from harness.api.settings import Json

CORNERS = ("start", "first", "second")
QUANTITIES = ("loss", "error")


@dataclass(frozen=True)
class Rows:
    """Where some rows of the plane lie: places x and y, and the coordinates of its three points.

    `corners` says whether the heights of these points come before those of the rows.
    """

    x: list[float]
    y: list[float]
    marks: dict[str, tuple[float, float]]
    corners: bool

    def reading(self, found: dict[str, Surface], protocol: dict[str, Json]) -> Reading:
        """The heights, by split, of the points of the rows."""
        ends = len(CORNERS) if self.corners else 0
        values = [
            Value(name=f"{name}-{corner}", split=split, value=height, detail=True)
            for split, surface in found.items()
            for name, heights in (("loss", surface.loss), ("error", surface.error))
            for corner, height in zip(CORNERS, heights[:ends].tolist(), strict=False)
        ]
        grids = [
            Grid(
                name="plane",
                split=split,
                x=self.x,
                y=self.y,
                z=_after(ends, surface).rows(len(self.x)),
                marks=self.marks,
            )
            for split, surface in found.items()
        ]
        return Reading(values=tuple(values), grids=tuple(grids), protocol=protocol)


def whole(parts: Sequence[Reading]) -> Reading:
    """The plane of all rows, and on each split how far its best point beats both runs."""
    grids = [_glued([part.grids[n] for part in parts]) for n in range(len(parts[0].grids))]
    known = [mark for grid in grids[:1] for mark in grid.marks.values()]
    finite = all(math.isfinite(number) for mark in known for number in mark)
    values: list[Value] = []
    for grid in grids:
        ends = [value for value in parts[0].values if value.split == grid.split]
        values += _values(grid, ends)
    return Reading(
        values=tuple(values), grids=tuple(grids if finite else ()), protocol=parts[0].protocol
    )


def _after(count: int, surface: Surface) -> Surface:
    """All but the first points."""
    return Surface(surface.loss[count:], surface.error[count:], surface.examples)


def _glued(pieces: Sequence[Grid]) -> Grid:
    z = {name: [row for piece in pieces for row in piece.z[name]] for name in QUANTITIES}
    return pieces[0].model_copy(update={"y": [y for piece in pieces for y in piece.y], "z": z})


def _values(grid: Grid, ends: Sequence[Value]) -> list[Value]:
    places = [*grid.marks.values(), *((x, y) for y in grid.y for x in grid.x)]
    runs = [end.value for end in ends if end.name in {f"loss-{corner}" for corner in CORNERS[1:]}]
    gone = any(map(math.isnan, runs))  # a diverged run errs always, like all points beside it
    values = []
    for name in QUANTITIES:
        own = [end for end in ends if end.name in {f"{name}-{corner}" for corner in CORNERS}]
        at = [*(end.value for end in own), *(height for row in grid.z[name] for height in row)]
        best = min(range(len(at)), key=lambda number: (math.isnan(at[number]), at[number]))
        gain = math.nan if gone else min(at[1], at[2]) - at[best]
        values += [Value(name=f"gain-{name}", split=grid.split, value=gain), *own]
        where = (math.nan, math.nan) if gone else places[best]
        values += [
            Value(name=f"best-{name}-{axis}", split=grid.split, value=place, detail=True)
            for axis, place in zip("xy", where, strict=True)
        ]
    return values
