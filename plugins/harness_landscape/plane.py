"""`plane`: loss and error on the plane through two runs and the point that they started from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Grid, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.plane_geometry import Plane, through
from harness_landscape.straight_line import (
    RECALIBRATE,
    RECALIBRATE_SOURCE,
    Recalibrate,
    evenly,
    ready,
)
from harness_landscape.surface import Ground, Surface

if TYPE_CHECKING:
    from harness.api.contexts import Probe, Weights

GARIPOV = "Garipov et al. 2018, arXiv 1802.10026"
CORNERS = ("start", "first", "second")


class PlaneSettings(Settings):
    """Which plane, and how finely it is sampled."""

    third: str = setting(
        "start",
        "the third point, of the first run: where it started, or a point by name (checkpoint-100)",
        source="the two runs' common start: Neyshabur et al. 2020, arXiv 2008.11687",
    )
    points: int = setting(21, "points to each side of the grid", source="a choice", ge=2, le=501)
    margin: float = setting(
        0.2,
        "how far the grid reaches beyond the three points, as a share of their extent",
        source=GARIPOV,
        ge=0,
    )
    examples: int | None = setting(
        1000,
        "examples of each split, the same at all points; null: all of them",
        source="a choice",
        ge=1,
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def measure(settings: PlaneSettings, probe: Probe) -> Reading:
    """A grid over the plane for every split, and how far its best point beats both runs."""
    third = _third(settings.third, probe)
    corners = [probe.weights(0, third), probe.weights(0), probe.weights(1)]
    plane = through(*(probe.parameters(corner) for corner in corners))
    finite = all(math.isfinite(number) for mark in plane.marks for number in mark)
    xs, ys = (_places([mark[axis] for mark in plane.marks], settings) for axis in (0, 1))
    ground = Ground(
        probe,
        probe.splits,
        settings.examples,
        ready=lambda points: ready(points, probe, settings.recalibrate),
    )
    found = ground.surfaces(_points(probe, plane, corners, (xs, ys)), len(plane.origin))
    marks = dict(zip(CORNERS, plane.marks, strict=True))
    places = [*plane.marks, *((x, y) for y in ys for x in xs)]
    return Reading(
        values=tuple(value for split in found for value in _values(found[split], places, split)),
        grids=tuple(
            Grid(name="plane", split=split, x=xs, y=ys, z=_rows(surface, len(xs)), marks=marks)
            for split, surface in found.items()
            if finite
        ),
        protocol={
            "third": third,
            "points": [len(xs), len(ys)],
            "margin": settings.margin,
            "examples": {split: surface.examples for split, surface in found.items()},
            "same_examples_at_all_points": True,
            "coordinates": "distance in weight space from the third point",
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": _policy(probe, settings.recalibrate),
            "parameters": "all",
        },
    )


def _third(name: str, probe: Probe) -> str:
    if name != "start":
        return name
    for start in ("pretrained", "init"):
        if start in probe.points(0):
            return start
    raise HarnessError(
        "it is not known where the first run started",
        fix=f"set third to one of its points: {', '.join(probe.points(0))}",
    )


def _policy(probe: Probe, recalibrate: Recalibrate) -> str:
    if not probe.batch_norm:
        return "none in the network"
    if recalibrate == "never":
        return "the first run's statistics, but at the three points themselves"
    return "statistics anew from train at every point"


def _places(marks: list[float], settings: PlaneSettings) -> list[float]:
    low, high = min(marks), max(marks)
    margin = settings.margin * (high - low)
    low, high = low - margin, high + margin
    return [low + share * (high - low) for share in evenly(settings.points)]


def _points(
    probe: Probe, plane: Plane, corners: list[Weights], places: tuple[list[float], list[float]]
) -> Iterator[Weights]:
    """The corners themselves, then the grid row by row; buffers off them are the first run's."""
    yield from corners
    xs, ys = places
    for y in ys:
        for x in xs:
            yield probe.at(plane.at(x, y), corners[1])


def _rows(surface: Surface, width: int) -> dict[str, list[list[float]]]:
    grid = Surface(surface.loss[len(CORNERS) :], surface.error[len(CORNERS) :], surface.examples)
    return grid.rows(width)


def _values(surface: Surface, places: list[tuple[float, float]], split: str) -> list[Value]:
    values = []
    for name, heights in (("loss", surface.loss), ("error", surface.error)):
        at = heights.tolist()
        best = min(range(len(at)), key=lambda number: (math.isnan(at[number]), at[number]))
        gain = min(at[1], at[2]) - at[best] if at[1] == at[1] and at[2] == at[2] else math.nan
        values.append(Value(name=f"gain-{name}", split=split, value=gain))
        details = {f"{name}-{corner}": at[number] for number, corner in enumerate(CORNERS)}
        details |= {
            f"best-{name}-{axis}": place for axis, place in zip("xy", places[best], strict=True)
        }
        values += [Value(name=n, split=split, value=v, detail=True) for n, v in details.items()]
    return values


PLANE = Metric(
    name="plane",
    about="Loss and error on the plane through two runs and the point they started from.",
    source=f"{GARIPOV}; Neyshabur et al. 2020, arXiv 2008.11687",
    settings=PlaneSettings,
    measure=measure,
    of="pair",
    access="ood-labels",
    direction="larger gain: the plane holds a point that beats both runs; its relation to OOD "
    "scores depends",
    formula="w(x, y) = w0 + x u + y v, w0 the start of the first run, w1 = w0 + ||w1 - w0|| u, w2 "
    "above the x axis; gain-error = min(E(w1), E(w2)) - min E over the grid and the three points, "
    "gain-loss the same with L; both >= 0, per split.",
    invariances="rotations of weight space. Not under permutation or rescaling of units.",
    cost="points^2 forward passes per pair and split (441), three more per run; with batch norm "
    "as many passes over the training split.",
    oracle="quadratics evaluated directly at the grid's coordinates, distances between the three "
    "points, a bowl whose lowest point lies on the grid.",
)
