"""`criticality`: how far back, and with how much noise, each module can go at little loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Grid, Reading, Value
from harness.api.settings import Settings, SplitName, setting
from harness_landscape.module_valley import Places, Valley, least, scales
from harness_landscape.single_modules import MODULES, modules_of
from harness_landscape.straight_line import evenly
from harness_landscape.surface import Ground, Surface

if TYPE_CHECKING:
    from harness.api.contexts import Probe

CHATTERJI = "Chatterji et al. 2020, arXiv 1912.00528"


class CriticalitySettings(Settings):
    """What may be lost, and where it is looked for."""

    quantity: Literal["error", "loss"] = setting("error", "what may be lost", source=CHATTERJI)
    epsilon: float = setting(
        0.1,
        "how much of it is allowed: in all, and for the relative values beyond the run's own",
        source="a choice: the displacement of `pac-bayes` (Jiang et al. 2020, arXiv 1912.02178)",
        ge=0,
    )
    steps: int = setting(
        5,
        "steps of alpha from the start (0) to the end (1) of training",
        source="a choice",
        ge=1,
        le=1000,
    )
    scales: int = setting(
        7, "scales sigma of the noise, evenly on a log scale up to 1", source="a choice", ge=1
    )
    least: float = setting(0.001, "the least of them", source="a choice", gt=0, le=1)
    draws: int = setting(
        2,
        "draws of noise per module, each with its mirror image, the same in all cells of the grid",
        source="a choice",
        ge=1,
    )
    modules: tuple[str, ...] = setting((), MODULES, source=CHATTERJI)
    examples: int | None = setting(
        1000,
        "examples of the split, the same for all runs; null: all of them",
        source="a choice: the paper takes all training examples",
        ge=1,
    )
    split: SplitName = setting(
        "train", "the split that is looked at: train, or an in-domain one", source=CHATTERJI
    )


def measure(settings: CriticalitySettings, probe: Probe) -> Reading:
    """Criticality of every module and of the network, and the surfaces that it was read off."""
    if "init" not in probe.points():
        raise HarnessError(
            "the run's initial weights are not known, so no valley leads from them",
            fix="measure criticality on runs that were trained here",
        )
    modules = modules_of(settings.modules, probe)
    final, start = probe.weights(), probe.weights(point="init")
    ground = Ground(probe, (settings.split,), settings.examples)
    size = len(probe.parameters(final))
    here = ground.surfaces([final], size)[settings.split]
    own = float(here.error if settings.quantity == "error" else here.loss)
    if not bool(here.loss.isfinite()):  # its error would stay at 1 whatever the noise
        own = math.nan
    allowed = {"": settings.epsilon + 0 * own, "-relative": settings.epsilon + own}
    places = evenly(settings.steps + 1), scales(settings.scales, settings.least)
    z: dict[str, list[list[float]]] = {}
    details: list[Value] = []
    sums = dict.fromkeys(allowed, 0.0)
    for module, names in modules.items():
        valley = Valley(final, start, names)
        noise = valley.noise(probe.generator(module), settings.draws)
        surface = ground.surfaces(valley.points(places, noise), size)[settings.split]
        heights = _mean(surface, places, settings)
        z[f"{settings.quantity}[{module}]"] = heights
        for kind, level in allowed.items():
            found = least(heights, places, level, valley.squared_length())
            sums[kind] += found[0]
            shown = zip(("criticality", "alpha", "sigma"), found, strict=True)
            details += [
                Value(name=f"{what}{kind}[{module}]", split=settings.split, value=x, detail=True)
                for what, x in shown
            ]
    totals = [
        Value(name=f"criticality{kind}", split=settings.split, value=total)
        for kind, total in sums.items()
    ]
    return Reading(
        values=(*totals, Value(name="own", split=settings.split, value=own, detail=True), *details),
        grids=(_grid(z, places, settings.split),),
        protocol={
            "split": settings.split,
            "quantity": settings.quantity,
            "epsilon": settings.epsilon,
            "alphas": places[0],
            "sigmas": places[1],
            "draws": settings.draws,
            "mirrored_draws": True,
            "same_draws_in_all_cells": True,
            "start": "pretrained" if "pretrained" in probe.points() else "random initialisation",
            "modules": list(modules),
            "examples": here.examples,
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": "the run's statistics, fixed" if probe.batch_norm else "none",
        },
        converged=all(math.isfinite(total) for total in sums.values()),
    )


def _grid(z: dict[str, list[list[float]]], places: Places, split: str) -> Grid:
    logs = [math.log10(sigma) for sigma in places[1]]
    return Grid(
        name="valleys",
        split=split,
        x=places[0],
        y=logs,
        z=z,
        marks={"start": (0.0, logs[0]), "end": (1.0, logs[0])},
        axes=("alpha", "log10 sigma"),
    )


def _mean(surface: Surface, places: Places, settings: CriticalitySettings) -> list[list[float]]:
    """Means over the draws, [sigma][alpha]."""
    each = surface.error if settings.quantity == "error" else surface.loss
    rows: list[list[float]] = (
        each.reshape(len(places[1]), len(places[0]), 2 * settings.draws).mean(2).tolist()
    )
    return rows


CRITICALITY = Metric(
    name="criticality",
    about="How far back towards its start, and with how much noise, each module can go.",
    source=f"{CHATTERJI}; Zhang et al. 2019, arXiv 1902.01996",
    settings=CriticalitySettings,
    measure=measure,
    of="point",
    access="id",
    direction="larger: the network stands in narrow valleys, far from where it started; its "
    "relation to OOD scores depends",
    formula="criticality[m] = min over alpha, sigma of alpha^2 ||w_m - w0_m||^2 / sigma^2 subject "
    "to E_u E((1-alpha) w0_m + alpha w_m + u, rest) <= epsilon, u ~ N(0, sigma^2 I), E the error "
    "rate or, with quantity loss, the mean loss; -relative: <= that of the run + epsilon. alpha "
    "and sigma on a grid in [0, 1] and [least, 1]; criticality = sum of criticality[m] over m.",
    invariances="permutation of units, where the start is permuted along, up to the draws. Not "
    "under rescaling of units.",
    cost="2 draws (steps + 1) scales forward passes over the sample per module (168), and 1.",
    oracle="a module that never moved (0), quadratics (quadratic in alpha plus sigma^2 tr H / 2), "
    "a threshold (error Phi(-margin / sigma)), the same grid evaluated directly.",
    wants=lambda settings: ("start",),
)
