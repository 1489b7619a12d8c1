"""`barrier`: how high loss and error rise on the straight line between two runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.straight_line import (
    RECALIBRATE,
    RECALIBRATE_SOURCE,
    Recalibrate,
    diverged,
    evenly,
    policy,
    ready,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from harness.api.contexts import Evaluation, Probe, Weights


NOTHING = (math.nan, None, math.nan)


class BarrierSettings(Settings):
    """How the line is sampled."""

    points: int = setting(
        11,
        "points on the line, both ends included, evenly spaced; more find narrower barriers",
        source="steps of 0.1: Wortsman et al. 2022, arXiv 2109.01903",
        ge=3,
        le=1001,
    )
    scores: tuple[str, ...] = setting(
        (),
        "scores of the suite to read barriers of too, by name, besides loss and error",
        source="Frankle et al. 2020, arXiv 1912.05671 (of error), for any score",
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def measure(settings: BarrierSettings, probe: Probe) -> Reading:
    """Barriers of the pair on every split, and the curves that they were read off."""
    alphas = evenly(settings.points)
    line = probe.line(probe.weights(0), probe.weights(1), alphas)
    points = ready(line, probe, settings.recalibrate)
    values: list[Value] = []
    curves: list[Curve] = []
    sizes: dict[str, int] = {}
    for split in probe.splits:
        found = probe.evaluate(points, split, each=True)
        values += barriers(alphas, found, split)
        y = {"loss": found.loss.tolist(), "error": found.error.tolist()}
        along = scores_along(probe, points, split)
        gone = found.example_losses is not None and diverged(found.example_losses)
        for name, at in along.items():
            values += of_score(alphas, at, name, split, gone=gone)
        y |= {name: at.values for name, at in along.items()}
        curves.append(Curve(name="line", split=split, x=alphas, y=y, axis="alpha"))
        sizes[split] = found.examples
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol={
            "points": settings.points,
            "examples": dict(sizes),
            "same_examples_at_all_points": True,
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": policy(probe, settings.recalibrate),
            "parameters": "all",
        },
    )


@dataclass(frozen=True)
class Along:
    """A score at every point, and which way is better."""

    values: list[float]
    higher_is_better: bool


def scores_along(probe: Probe, points: Sequence[Weights], split: str) -> dict[str, Along]:
    """The scores that were asked for, at points on a line."""
    if not probe.scores:
        return {}
    found = probe.scored(probe.logits(points, split), split)
    return {
        name: Along(values, probe.scores[name].higher_is_better) for name, values in found.items()
    }


def of_score(
    alphas: list[float], along: Along, name: str, split: str, *, gone: bool
) -> list[Value]:
    """Both definitions on a score turned so that less is better; without a standard error."""
    import torch

    sign = -1.0 if along.higher_is_better else 1.0
    each = sign * torch.tensor(along.values, dtype=torch.float64)[:, None]
    values = []
    for definition in ("lerp", "frankle"):
        height, _, alpha = NOTHING if gone else _highest(alphas, each, definition)
        values.append(Value(name=f"{definition}-{name}", split=split, value=height))
        at = Value(name=f"{definition}-{name}-alpha", split=split, value=alpha, detail=True)
        values.append(at)
    return values


def barriers(alphas: list[float], found: Evaluation, split: str) -> list[Value]:
    """Both definitions on loss and error; see the card for the formulas.

    The standard error is that of the mean over examples of what the value is the mean of, at the
    alpha of the maximum, which is taken as given. A diverged run, all of whose losses are NaN or
    infinite, has no barrier: its error is 1 like that of the points beside it, and the two would
    make 0, as between runs of one basin.
    """
    values: list[Value] = []
    losses = found.example_losses
    gone = losses is not None and diverged(losses)
    for quantity, each in (("loss", found.example_losses), ("error", found.example_errors)):
        if each is None:  # they were asked for
            raise TypeError("the probe gave no values per example")
        for definition in ("lerp", "frankle"):
            name = f"{definition}-{quantity}"
            height, spread, alpha = NOTHING if gone else _highest(alphas, each, definition)
            values.append(Value(name=name, split=split, value=height, standard_error=spread))
            values.append(Value(name=f"{name}-alpha", split=split, value=alpha, detail=True))
    return values


def _highest(
    alphas: list[float], each: Tensor, definition: str
) -> tuple[float, float | None, float]:
    """Height above the base, its standard error, and where: `each` is [points, examples]."""
    import torch

    above = above_base(alphas, each, definition)
    heights = above.mean(1)
    best = int(heights.argmax())
    examples = each.shape[1]
    spread = None
    if examples > 1 and bool(torch.isfinite(heights[best])):
        spread = float(above[best].std()) / examples**0.5
    return float(heights[best]), spread, alphas[best]


def above_base(alphas: list[float], each: Tensor, definition: str) -> Tensor:
    """How far each example stands above what a definition compares with: [points, examples]."""
    import torch

    if definition == "lerp":
        positions = torch.tensor(alphas, dtype=each.dtype)[:, None]
        return each - torch.lerp(each[0], each[-1], positions)
    return each - (each[0] + each[-1]) / 2


BARRIER = Metric(
    name="barrier",
    about="How high loss and error rise on the straight line between two runs.",
    source="Frankle et al. 2020, arXiv 1912.05671; Entezari et al. 2022, arXiv 2110.06296",
    settings=BarrierSettings,
    measure=measure,
    of="pair",
    access="ood-labels",
    direction="larger: the two runs lie in different basins of that split; its relation to OOD "
    "scores depends",
    formula="w(a) = (1-a) w0 + a w1. lerp-loss = max_a [L(w(a)) - (1-a) L(w0) - a L(w1)] "
    "(Entezari); frankle-error = max_a E(w(a)) - (E(w0) + E(w1)) / 2 (Frankle); frankle-loss and "
    "lerp-error exchange L and E; lerp-SCORE and frankle-SCORE take a score, or its negative where "
    "higher is better. NAME-alpha is the a of the maximum. All per split, >= 0.",
    invariances="exchange of the two runs. Not under permutation or rescaling of units: a permuted "
    "copy of a run has a barrier. Shrinking logits can hide a loss barrier on OOD splits: read the "
    "error too.",
    scores=lambda settings: settings.scores,
    cost="(points - 2) forward passes per pair and split, and one per run and split, twice that "
    "with `scores`; with batch norm also `points` passes over the training split.",
    oracle="closed forms along the line (linear, quadratic, double well, W), |c|/8 for curvature "
    "c < 0, 0 for convex losses, > 0 for a permuted copy.",
)
