"""Is a reading one that can be stored, tabled and drawn? Said where its metric can be blamed."""

from collections import Counter
from collections.abc import Collection, Iterator

from harness.api.errors import HarnessError
from harness.api.readings import Curve, Grid, Reading, Value


def check(metric: str, reading: Reading, splits: Collection[str] | None) -> None:
    """Raise for the first thing that nobody could read; `splits` are those that there are.

    Raises:
        HarnessError: a value without a name or with another's, a split that the suite does not
            have, a curve or grid whose numbers do not fit its places.
    """
    fault = next(_faults(reading, splits), None)
    if fault is not None:
        raise HarnessError(f"the metric {metric!r} returned {fault}", fix="tell its author")


def _faults(reading: Reading, splits: Collection[str] | None) -> Iterator[str]:
    if not all(value.name for value in reading.values):
        yield "a value without a name"
    times = Counter((value.name, value.split) for value in reading.values)
    for (name, split), number in times.items():
        if number > 1:
            where = f" on {split}" if split else ""
            yield f"the value {name!r}{where} {number} times"
    parts: tuple[Value | Curve | Grid, ...] = (*reading.values, *reading.curves, *reading.grids)
    for part in parts:
        if splits is not None and part.split is not None and part.split not in splits:
            yield f"{part.name!r} on {part.split!r}, which is no split"
    for curve in reading.curves:
        yield from _of_curve(curve)
    for grid in reading.grids:
        yield from _of_grid(grid)


def _of_curve(curve: Curve) -> Iterator[str]:
    for quantity, numbers in curve.y.items():
        if len(numbers) != len(curve.x):
            yield (
                f"a curve {curve.name!r} with {len(numbers)} numbers of {quantity!r} "
                f"at {len(curve.x)} places"
            )
    if curve.labels and len(curve.labels) != len(curve.x):
        yield f"a curve {curve.name!r} with {len(curve.labels)} labels at {len(curve.x)} places"


def _of_grid(grid: Grid) -> Iterator[str]:
    for quantity, rows in grid.z.items():
        if len(rows) != len(grid.y) or any(len(row) != len(grid.x) for row in rows):
            yield (
                f"a grid {grid.name!r} whose {quantity!r} is not "
                f"{len(grid.y)} rows of {len(grid.x)} numbers"
            )
    for axis, names in grid.labels.items():
        if len(names) != len(grid.x if axis == "x" else grid.y):
            yield f"a grid {grid.name!r} with {len(names)} labels along {axis}"
