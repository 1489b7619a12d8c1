"""`slice`: loss and error along random directions through a run, filter by filter to scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Curve, Grid, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.slice_shape import filter_direction, shape
from harness_landscape.surface import Ground, Surface

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Probe, Weights

LI = "Li et al. 2018, arXiv 1712.09913"


class SliceSettings(Settings):
    """How many directions, how far and how fine."""

    directions: int = setting(
        5,
        "random directions for curves; values are means over them",
        source=f"a choice: {LI} show one, which has no standard error",
        ge=1,
    )
    steps: int = setting(
        25, "points to either side of the run; with the run itself 51", source=LI, ge=1, le=500
    )
    span: float = setting(1.0, "how far to either side, in units of the filters", source=LI, gt=0)
    side: int = setting(
        0,
        "points to either side of the run on a plane of two more directions; 0: no plane",
        source=f"a choice: 25 in {LI} costs 2,600 passes",
        ge=0,
        le=100,
    )
    height: float = setting(
        0.1, "how far above the run's loss the width is taken", source="a choice", gt=0
    )
    examples: int | None = setting(
        1000,
        "examples of each split, the same at all points; null: all of them",
        source="a choice",
        ge=1,
    )
    parameters: str = setting(
        "no-bias-and-norm",
        "which parameters move: all, no-bias-and-norm, no-head, or a module's name",
        source=LI,
    )


def measure(settings: SliceSettings, probe: Probe) -> Reading:
    """Curves along random directions on every split, and a plane where it is asked for."""
    centre = probe.weights()
    alphas = evenly(settings.span, settings.steps)
    ground = Ground(probe, probe.splits, settings.examples)
    directions = [_direction(settings, probe, f"{n}") for n in range(settings.directions)]
    steps = ([(alpha, d)] for d in directions for alpha in alphas)
    found = ground.surfaces(_points(probe, centre, steps), len(directions[0]))
    values: list[Value] = []
    curves: list[Curve] = []
    for split, surface in found.items():
        rows = surface.rows(len(alphas))
        for place, (loss, error) in enumerate(zip(rows["loss"], rows["error"], strict=True)):
            y = {"loss": loss, "error": error}
            curves.append(
                Curve(name=f"direction-{place + 1}", split=split, x=alphas, y=y, axis="distance")
            )
        values += _values(alphas, surface, split, settings.height)
    grids = _grids(settings, probe, ground, centre) if settings.side else []
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        grids=tuple(grids),
        protocol={
            "directions": settings.directions,
            "points": len(alphas),
            "span": settings.span,
            "side": settings.side,
            "examples": {split: surface.examples for split, surface in found.items()},
            "same_examples_at_all_points": True,
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": "the run's statistics, fixed" if probe.batch_norm else "none",
            "parameters": settings.parameters,
        },
    )


def evenly(span: float, steps: int) -> list[float]:
    """Places from -span to span, 0 exactly among them.

    >>> evenly(1.0, 2)
    [-1.0, -0.5, 0.0, 0.5, 1.0]
    """
    return [span * step / steps for step in range(-steps, steps + 1)]


def _direction(settings: SliceSettings, probe: Probe, name: str) -> Tensor:
    stream = probe.generator(f"direction:{name}")
    return filter_direction(probe, probe.weights(), settings.parameters, stream)


def _points(
    probe: Probe, centre: Weights, steps: Iterator[Sequence[tuple[float, Tensor]]]
) -> Iterator[Weights]:
    """The centre moved along some directions, made when asked for; unmoved it is itself."""
    origin = probe.parameters(centre)
    for step in steps:
        moved = [alpha * direction for alpha, direction in step if alpha]
        yield probe.at(sum(moved, origin), centre) if moved else centre


def _values(alphas: list[float], surface: Surface, split: str, height: float) -> list[Value]:
    """Means over directions of what describes each curve of losses, with standard errors."""
    import torch

    rows = surface.loss.reshape(-1, len(alphas))
    shapes = [shape(alphas, row, height) for row in rows]
    values = []
    for name in shapes[0]:
        each = torch.tensor([found[name] for found in shapes], dtype=torch.float64)
        known = len(each) > 1 and bool(each.isfinite().all())
        spread = float(each.std()) / len(each) ** 0.5 if known else None
        value = Value(name=name, split=split, value=float(each.mean()), standard_error=spread)
        values.append(value)
    return values


def _grids(settings: SliceSettings, probe: Probe, ground: Ground, centre: Weights) -> list[Grid]:
    """Loss and error on the plane of two directions, one grid for each split."""
    places = evenly(settings.span, settings.side)
    across, up = (_direction(settings, probe, f"plane:{axis}") for axis in "xy")
    steps = ([(x, across), (y, up)] for y in places for x in places)
    found = ground.surfaces(_points(probe, centre, steps), len(across))
    return [
        Grid(
            name="plane",
            split=split,
            x=places,
            y=places,
            z=surface.rows(len(places)),
            marks={"final": (0.0, 0.0)},
        )
        for split, surface in found.items()
    ]


SLICE = Metric(
    name="slice",
    about="Loss and error along random, filter-normalised directions through a run.",
    source=LI,
    settings=SliceSettings,
    measure=measure,
    of="point",
    access="ood-labels",
    direction="larger rise and curvature, smaller width: sharper; its relation to OOD scores "
    "depends",
    formula="f(a) = L(w + a d), d Gaussian with ||d_f|| = ||w_f|| for every filter f and 0 for "
    "biases and normalisation; rise = max f - f(0); curvature = f''(0) of a parabola through the "
    "inner quarter; convexity = share of points where f does not bend down; width = length of the "
    "interval around 0 with f <= f(0) + height. Means over directions, per split.",
    invariances="rescaling a layer by c and the next by 1/c in a ReLU network; permutation of "
    "units in law.",
    cost="directions 2 steps + 1 forward passes per split (251), and (2 side + 1)^2 - 1 more for "
    "a plane.",
    oracle="quadratics (f exact, f'' = c ||w||^2 for H = c I, mean f'' = sum_f ||w_f||^2 tr H_ff / "
    "n_f), rescaled layers, directly evaluated points.",
)
