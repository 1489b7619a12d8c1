"""`sharpness`: how much the loss rises within a distance of a run, on average and at worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, model_validator

from harness.api.looks import Look
from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, SplitName, setting
from harness_landscape.distinct import distinct
from harness_landscape.sharpness_kinds import RADII, Kind, Rise, Search, average, kind_of, worst

if TYPE_CHECKING:
    from harness.api.contexts import Probe

MODERN = "Andriushchenko et al. 2023, arXiv 2302.07011"
Variant = Literal[
    "average",
    "average-adaptive",
    "worst-l2",
    "worst-l2-adaptive",
    "worst-linf",
    "worst-linf-adaptive",
    "average-normalised",
    "average-adaptive-normalised",
    "worst-l2-normalised",
    "worst-l2-adaptive-normalised",
    "worst-linf-normalised",
    "worst-linf-adaptive-normalised",
    "keskar",
]
Radii = Annotated[tuple[PositiveFloat, ...], AfterValidator(distinct), Field(min_length=1)]


class SharpnessSettings(Settings):
    """Which definitions, over which radii, of the loss on what."""

    variants: Annotated[tuple[Variant, ...], AfterValidator(distinct)] = setting(
        ("average", "average-adaptive", "worst-l2", "worst-linf-adaptive-normalised"),
        "which definitions: `average` over Gaussian noise or `worst` within a ball; `adaptive`: "
        "distances relative to each weight; `normalised`: logits of unit norm; `keskar`",
        source=f"a choice among those of {MODERN}",
        min_length=1,
    )
    radii: dict[Variant, Radii] = setting(
        {},
        "radii rho by variant, where they are to differ from the usual ones (see the page)",
        source=f"average 0.05 to 0.4, l2 0.25 to 2, linf 0.0005 to 0.004, adaptive linf 0.001 to "
        f"0.008: {MODERN}; keskar 0.0005 and 0.001: Keskar et al. 2017, arXiv 1609.04836",
    )
    examples: int | None = setting(
        1024,
        "examples of the split, the same for all runs; null: all of them",
        source=MODERN,
        ge=1,
    )
    split: SplitName = setting(
        "train", "the split of the loss: train, or an in-domain one", source=MODERN
    )
    batch: int | None = setting(
        128,
        "m of m-sharpness: the worst case is sought for every m examples by themselves and "
        "averaged; null: for all at once",
        source=f"{MODERN}; Foret et al. 2021, arXiv 2010.01412",
        ge=1,
    )
    draws: int = setting(
        20, "draws of noise, each with its mirror image, for the average", source=MODERN, ge=2
    )
    iterations: int = setting(
        20, "steps of the ascent (APGD) for the worst case", source=MODERN, ge=1
    )
    eta: float = setting(
        0.0,
        "added to |w| in adaptive variants; 0 keeps them invariant under rescaling",
        source=f"0 in {MODERN}; 0.01 for training in Kwon et al. 2021, arXiv 2102.11600",
        ge=0,
    )
    parameters: str = setting(
        "all",
        "which parameters move: all, no-bias-and-norm, no-head, or a module's name",
        source=MODERN,
    )

    @model_validator(mode="after")
    def _radii_are_of_variants(self) -> SharpnessSettings:
        for variant in self.radii:
            if variant not in self.variants:
                raise ValueError(f"radii are given for {variant}, which is not among the variants")
        return self


def measure(settings: SharpnessSettings, probe: Probe) -> Reading:
    """Every variant at every radius of its sweep."""
    split = settings.split
    total = probe.examples(split)
    examples = total if settings.examples is None else min(settings.examples, total)
    values: list[Value] = []
    curves: list[Curve] = []
    for variant in settings.variants:
        kind = kind_of(variant, settings.eta)
        radii = sorted(settings.radii.get(variant, RADII[kind.sweep]))
        rises = _rises(settings, probe, kind, radii)
        for radius, rise in zip(radii, rises, strict=True):
            values.append(
                Value(
                    name=f"{variant}-{radius:g}",
                    split=split,
                    value=rise.mean,
                    standard_error=rise.standard_error,
                )
            )
        curves.append(
            Curve(
                name=variant,
                split=split,
                x=radii,
                y={"rise": [rise.mean for rise in rises]},
                axis="rho",
            )
        )
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol={
            "split": split,
            "examples": examples,
            "batch": settings.batch,
            "draws": settings.draws,
            "mirrored_draws": True,
            "same_draws_at_all_radii": True,
            "iterations": settings.iterations,
            "eta": settings.eta,
            "quantity": "loss",
            "reduction": "mean over examples; weight decay left out",
            "mode": "eval",
            "batch_norm": "the run's statistics, fixed" if probe.batch_norm else "none",
            "parameters": settings.parameters,
        },
    )


def _rises(
    settings: SharpnessSettings, probe: Probe, kind: Kind, radii: Sequence[float]
) -> list[Rise]:
    around = kind.around(probe, settings.split, settings.parameters)
    whole = Look(settings.examples, unit_logits=kind.normalised)
    if kind.norm is None:
        return average(around, whole, radii, settings.draws, probe.generator("noise"))
    search = Search(kind, radii, settings.iterations)
    looks = [(whole, 1)] if kind.relative_rise else _batches(settings, probe, whole)
    return worst(around, looks, search, probe.generator("start"))


def _batches(settings: SharpnessSettings, probe: Probe, whole: Look) -> list[tuple[Look, int]]:
    """A look at each batch of m examples, with its size; the last one may be smaller."""
    total = probe.examples(settings.split)
    count = total if whole.examples is None else min(whole.examples, total)
    size = settings.batch or count
    return [
        (replace(whole, batch=(number, size)), min(size, count - number * size))
        for number in range(-(-count // size))
    ]


SHARPNESS = Metric(
    name="sharpness",
    about="How much the loss rises within a distance of a run, on average and at worst.",
    source=f"Keskar et al. 2017, arXiv 1609.04836; Foret et al. 2021, arXiv 2010.01412; {MODERN}",
    settings=SharpnessSettings,
    measure=measure,
    of="point",
    access="id",
    direction="larger: sharper; its relation to OOD scores depends",
    formula="With T = 1, or |w| + eta in adaptive variants: average-RHO = E L(w + rho T z) - L(w), "
    "z ~ N(0, I); worst-NORM-RHO = mean over batches B of m examples of max over ||u|| <= rho of "
    "L_B(w + T u) - L_B(w), found by APGD, so a lower bound; keskar-RHO = 100 max over |u_i| <= "
    "rho of [L(w + (|w| + 1) u) - L(w)] / (1 + L(w)); NAME-normalised-RHO: L of logits centred "
    "and divided by their norm.",
    invariances="permutation of units (averages in law). Adaptive variants with eta = 0: rescaling "
    "(c u, v / c) of units, and if normalised also the scale of the logits. Plain ones: neither.",
    cost="in forward passes over the sample, a gradient being worth 3: 2 draws for an average, 3 "
    "iterations for a worst case, per radius and variant; about 800 for the defaults.",
    oracle="quadratics (rho^2 lambda_max / 2, rho^2 tr H / 2, their adaptive forms, the trust "
    "region solved through its secular equation), linear losses (rho ||g||, rho ||g||_1, 0), "
    "all corners of a small box, u v x against (c u) (v / c) x.",
)
