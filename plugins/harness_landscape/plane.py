"""`plane`: loss and error on the plane through two runs and the point that they started from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Metric, Parts
from harness.api.settings import Settings, setting
from harness_landscape.plane_geometry import Plane, through
from harness_landscape.plane_rows import CORNERS, Rows, whole
from harness_landscape.straight_line import (
    RECALIBRATE,
    RECALIBRATE_SOURCE,
    Recalibrate,
    evenly,
    ready,
)
from harness_landscape.surface import Ground

if TYPE_CHECKING:
    from harness.api.contexts import Probe, Weights
    from harness.api.readings import Reading

GARIPOV = "Garipov et al. 2018, arXiv 1802.10026"
SHORT = 21 * 21 * 1000  # passes over one example that are not worth splitting


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
    rows: int | None = setting(
        None,
        "rows of the grid that are measured and stored together; null: one by one, but all at once "
        "where points^2 times examples is at most 441,000",
        source="a choice",
        identity=False,
        ge=1,
    )

    @property
    def together(self) -> int:
        """How many rows are measured together."""
        if self.rows is not None:
            return self.rows
        short = self.examples is not None and self.points**2 * self.examples <= SHORT
        return self.points if short else 1


def measure(settings: PlaneSettings, probe: Probe) -> Reading:
    """A grid over the plane for every split, and how far its best point beats both runs."""
    return join(settings, [part(settings, probe, number) for number in range(parts(settings))])


def parts(settings: PlaneSettings) -> int:
    """How many parts of whole rows the grid is measured in."""
    return math.ceil(settings.points / settings.together)


def join(settings: PlaneSettings, readings: Sequence[Reading]) -> Reading:
    """The plane of all its rows."""
    return whole(readings)


def part(settings: PlaneSettings, probe: Probe, number: int) -> Reading:
    """Some rows of the grids; before the first ones the three points are evaluated too."""
    third = _third(settings.third, probe)
    corners = [probe.weights(0, third), probe.weights(0), probe.weights(1)]
    plane = through(*(probe.parameters(corner) for corner in corners))
    xs, ys = (_places([mark[axis] for mark in plane.marks], settings) for axis in (0, 1))
    ys = ys[number * settings.together :][: settings.together]
    ground = Ground(
        probe,
        probe.splits,
        settings.examples,
        ready=lambda points: ready(points, probe, settings.recalibrate),
    )
    found = ground.surfaces(
        _points(probe, plane, corners, (xs, ys), ends=number == 0), len(plane.origin)
    )
    rows = Rows(xs, ys, dict(zip(CORNERS, plane.marks, strict=True)), corners=number == 0)
    return rows.reading(
        found,
        protocol={
            "third": third,
            "points": [settings.points, settings.points],
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
    probe: Probe,
    plane: Plane,
    corners: list[Weights],
    places: tuple[list[float], list[float]],
    *,
    ends: bool,
) -> Iterator[Weights]:
    """The corners where they are wanted, then row by row; buffers off them are the first run's."""
    if ends:
        yield from corners
    xs, ys = places
    for y in ys:
        for x in xs:
            yield probe.at(plane.at(x, y), corners[1])


PLANE = Metric(
    name="plane",
    about="Loss and error on the plane through two runs and the point they started from.",
    source=f"{GARIPOV}; Neyshabur et al. 2020, arXiv 2008.11687",
    settings=PlaneSettings,
    measure=measure,
    parts=Parts(count=parts, measure=part, join=join),
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
    wants=lambda settings: ("start",) if settings.third == "start" else (),
)
