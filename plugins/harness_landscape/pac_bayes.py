"""`pac-bayes`: how much noise on the weights a run bears, and the bounds that follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, SplitName, setting
from harness_landscape.distinct import distinct
from harness_landscape.noise_scale import Crossing, Search, carried, crossing
from harness_landscape.pac_bayes_terms import Bound, Cloud, Noise, flatness, itself
from harness_landscape.surface import Ground

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Probe, Weights

JIANG = "Jiang et al. 2020, arXiv 1912.02178"
DZIUGAITE = "Dziugaite et al. 2020, arXiv 2010.11924"
Quantity = Literal["error", "loss"]


class PacBayesSettings(Settings):
    """What may be displaced how far, by which noise, and how the scale is sought."""

    quantities: Annotated[tuple[Quantity, ...], AfterValidator(distinct)] = setting(
        ("error",),
        "what is displaced: `error` (mean |change| of the error rate) or `loss` (mean rise)",
        source=JIANG,
        min_length=1,
    )
    noises: Annotated[tuple[Noise, ...], AfterValidator(distinct)] = setting(
        ("plain", "magnitude"),
        "`plain`: one scale for all weights; `magnitude`: relative to each weight",
        source=JIANG,
        min_length=1,
    )
    displacement: float = setting(0.1, "the displacement allowed", source=JIANG, gt=0)
    draws: int = setting(
        10,
        "draws of noise, each with its mirror image, the same at all scales",
        source=DZIUGAITE,
        ge=2,
    )
    top: float = setting(2.0, "the largest scale tried", source=DZIUGAITE, gt=0)
    depth: int = setting(15, "steps of the bisection at most", source=DZIUGAITE, ge=1, le=60)
    tolerance: float = setting(
        0.01, "relative width at which the bisection ends", source=DZIUGAITE, gt=0, lt=1
    )
    floor: float = setting(
        1e-3, "epsilon: the noise that a weight of zero gets by magnitude", source=JIANG, ge=0
    )
    examples: int | None = setting(
        1000,
        "examples of the split, the same for all runs; null: all of them",
        source="a choice: the papers take all training examples",
        ge=1,
    )
    split: SplitName = setting(
        "train", "the split that is displaced: train, or an in-domain one", source=JIANG
    )
    parameters: str = setting(
        "all",
        "which parameters get noise: all, no-bias-and-norm, no-head, or a module's name",
        source=JIANG,
    )


def measure(settings: PacBayesSettings, probe: Probe) -> Reading:
    """The scale of noise that displaces each quantity by so much, flatness and bounds."""
    centre = probe.weights()
    origin = probe.parameters(centre)
    moves = probe.group(settings.parameters).to(origin)
    begun = next((name for name in ("pretrained", "init") if name in probe.points()), None)
    priors = {"origin": origin * 0}
    if begun is not None:
        priors["start"] = probe.parameters(probe.weights(point=begun))
    examples = probe.examples("train")
    values: list[Value] = []
    curves: list[Curve] = []
    bracketed = True
    for noise in settings.noises:
        cloud = Cloud(probe, centre, origin, moves, noise, settings.floor)
        ways: dict[str, Callable[[float], float]] = {"sigma": itself, "flatness": flatness}
        for name, prior in priors.items():
            away = (origin - prior)[moves.bool()]
            ways[f"bound-{name}"] = Bound(noise, away, settings.floor, examples)
        for quantity in settings.quantities:
            found = _found(settings, cloud, quantity)
            name = quantity if noise == "plain" else f"{quantity}-magnitude"
            values += [
                Value(
                    name=f"{way}-{name}",
                    split=settings.split,
                    value=function(found.sigma),
                    standard_error=carried(function, found),
                )
                for way, function in ways.items()
            ]
            curves.append(_curve(name, settings.split, found))
            bracketed = bracketed and found.bracketed
    total = probe.examples(settings.split)
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol={
            "split": settings.split,
            "examples": total if settings.examples is None else min(settings.examples, total),
            "displacement": settings.displacement,
            "draws": settings.draws,
            "mirrored_draws": True,
            "same_draws_at_all_scales": True,
            "start": begun,
            "mode": "eval",
            "batch_norm": "the run's statistics, fixed" if probe.batch_norm else "none",
            "parameters": settings.parameters,
        },
        converged=bracketed,
    )


def _found(settings: PacBayesSettings, cloud: Cloud, quantity: Quantity) -> Crossing:
    ground = Ground(cloud.probe, (settings.split,), settings.examples)
    size = len(cloud.origin)

    def heights(points: Iterable[Weights]) -> Tensor:
        surface = ground.surfaces(points, size)[settings.split]
        return surface.error if quantity == "error" else surface.loss

    (here,) = ground.surfaces([cloud.centre], size).values()
    if not bool(here.loss.isfinite()):  # its error would stay at 1 whatever the noise
        return Crossing(math.nan, None, bracketed=False)
    level = here.error if quantity == "error" else here.loss

    def displacements(sigma: float) -> Tensor:
        change = heights(cloud.points(sigma, settings.draws)) - level
        if quantity == "error":
            change = change.abs()
        return change.reshape(settings.draws, 2).mean(1)

    wanted = Search(settings.displacement, settings.top, settings.depth, settings.tolerance)
    return crossing(displacements, wanted)


def _curve(name: str, split: str, found: Crossing) -> Curve:
    """The mean displacement at every scale that was tried."""
    tried = sorted(found.tried.items())
    heights = [height for _, height in tried]
    return Curve(
        name=name,
        split=split,
        x=[sigma for sigma, _ in tried],
        y={"displacement": heights},
        axis="sigma",
    )


PAC_BAYES = Metric(
    name="pac-bayes",
    about="How much noise on the weights a run bears, and the PAC-Bayes bounds that follow.",
    source=f"{JIANG}; {DZIUGAITE}",
    settings=PacBayesSettings,
    measure=measure,
    of="point",
    access="id",
    direction="larger sigma, smaller flatness and bounds: flatter; their relation to OOD scores "
    "depends",
    formula="sigma-error = the sigma with E |E(w + s z) - E(w)| = displacement, z ~ N(0, I), s = "
    "sigma or, in NAME-magnitude, s_i^2 = sigma^2 w_i^2 + floor^2; sigma-loss: E L(w + s z) - L(w) "
    "= displacement; flatness = 1 / sigma^2; bound-origin = ||w||^2 / (4 sigma^2) + log(m / sigma) "
    "+ 10, or sum_i log((floor^2 + (sigma^2 + 1) ||w||^2 / P) / (floor^2 + sigma^2 w_i^2)) / 4 + "
    "log(m / sigma) + 10; bound-start: w - w0 for w.",
    invariances="permutation of units. By magnitude with floor 0: rescaling (c u, v / c) of units "
    "leaves sigma. Error: the scale of the logits.",
    cost="2 draws forward passes per scale tried, about 15 scales: 300 passes over the sample for "
    "each noise and quantity.",
    oracle="quadratics (sigma^2 = 2 displacement / tr H, by magnitude 2 displacement / sum w_i^2 "
    "H_ii), independent thresholds (the error moves by Phi(-margin / sigma)), bounds by hand.",
    tasks=("classification",),
)
