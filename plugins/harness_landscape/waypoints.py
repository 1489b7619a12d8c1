"""The points that a run passed, by step, and how sharply the loss bends at each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.api.errors import HarnessError
from harness.api.settings import setting
from harness_landscape.loss_settings import LossSettings

if TYPE_CHECKING:
    from harness.api.probes import Probe

LEAST = 3  # start, end, and at least one between them


@dataclass(frozen=True)
class Waypoint:
    """A named point of a run, and how many steps led to it."""

    step: int
    point: str


class WaySettings(LossSettings):
    """Which loss, and how exactly its curvature is wanted at every point."""

    tolerance: float = setting(
        1e-2,
        "largest residual ||Hv - lambda v|| / |lambda| that counts as converged",
        source="a choice: curvature along a run changes by factors",
        gt=0,
        lt=1,
    )
    products: int = setting(
        60,
        "products per matrix and point after which it gives up; the reading says so",
        source="a choice: 10 to 30 are usual for one eigenvalue",
        ge=1,
    )


@dataclass(frozen=True)
class Tops:
    """The largest eigenvalue at each of several points, and whether all are known well enough."""

    values: list[float]
    converged: bool


def waypoints(probe: Probe) -> list[Waypoint]:
    """The points that a run passed, each step once, from its start to its end.

    The end of a run that diverged is none: it has no weights.
    """
    facts = probe.training()
    found: dict[int, str] = {}
    for point in probe.points():
        if point == "final":
            if facts.diverged_at is None:
                found.setdefault(facts.steps, point)
        elif point in ("init", "pretrained"):
            found.setdefault(0, point)
        else:
            found.setdefault(int(point.removeprefix("checkpoint-")), point)
    return [Waypoint(step, found[step]) for step in sorted(found)]


def enough(metric: str, probe: Probe) -> list[Waypoint]:
    """The points, where there are enough of them to tell a way from two ends.

    Raises:
        HarnessError: with what would have kept more of them.
    """
    found = waypoints(probe)
    if len(found) < LEAST:
        there = ", ".join(way.point for way in found) or "none"
        raise HarnessError(
            f"{metric!r} wants at least {LEAST} points of a run, and there are: {there}",
            fix="set `checkpoints: log` in the method (the run is then trained anew)",
        )
    return found


def tops(
    settings: WaySettings,
    probe: Probe,
    ways: list[Waypoint],
    matrix: Literal["hessian", "covariance"],
) -> Tops:
    """The largest eigenvalue, by value, of a matrix at every point."""
    values, converged = [], True
    for way in ways:
        weights = probe.weights(0, way.point)
        space = probe.krylov(weights, settings.split, examples=settings.examples, matrix=matrix)
        top = space.top(1, by="value", tolerance=settings.tolerance, products=settings.products)
        values.append(float(top.values[0]))
        converged = converged and top.converged
    return Tops(values, converged)
