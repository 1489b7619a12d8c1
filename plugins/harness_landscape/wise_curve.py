"""`wise-curve`: scores in-domain and OOD on the line from where a run started to where it ended."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.barrier import barriers
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
    from torch import Tensor

    from harness.api.contexts import Evaluation, Probe


class WiseCurveSettings(Settings):
    """How the line is sampled."""

    steps: int = setting(
        10,
        "steps from the start (0) to the end (1) of training, an even number",
        source="steps of 0.1: Wortsman et al. 2022, arXiv 2109.01903",
        ge=2,
        le=1000,
        multiple_of=2,
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def measure(settings: WiseCurveSettings, probe: Probe) -> Reading:
    """What mixing with the start gains on every split, and the curves that it was read off."""
    named = probe.points()
    if "init" not in named:
        raise HarnessError(
            "the run's initial weights are not known, so no line leads from them",
            fix="measure wise-curve on runs that were trained here",
        )
    alphas = evenly(settings.steps + 1)
    line = probe.line(probe.weights(point="init"), probe.weights(), alphas)
    points = ready(line, probe, settings.recalibrate)
    found = {split: probe.evaluate(points, split, each=True) for split in probe.splits}
    values = [value for split in probe.splits for value in _middle(found[split], split)]
    for split in probe.splits:  # between the domains of pretraining and fine-tuning
        values += barriers(alphas, found[split], split)
    reference = next((split for split in probe.splits if probe.kind(split) == "id"), None)
    if reference is not None:
        best = _best(found[reference].error)
        gone = bool(_each(found[reference], "error").isnan().any())
        alpha = nan if gone else alphas[best]
        values.append(Value(name="chosen-alpha", split=reference, value=alpha, detail=True))
        for split in probe.splits:
            if probe.kind(split) == "ood":
                each = _each(found[split], "error")
                chosen = _mean("chosen-gain-error", split, each[-1] - each[best])
                values += [chosen, _area(_each(found[reference], "error"), each, split)]
    curves = [
        Curve(
            name="line",
            split=split,
            x=alphas,
            y={"loss": at.loss.tolist(), "error": at.error.tolist()},
            axis="alpha",
            against=reference if probe.kind(split) == "ood" else None,
        )
        for split, at in found.items()
    ]
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol={
            "points": len(alphas),
            "start": "pretrained" if "pretrained" in named else "random initialisation",
            "chosen_on": reference,
            "examples": {split: at.examples for split, at in found.items()},
            "same_examples_at_all_points": True,
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": policy(probe, settings.recalibrate),
            "parameters": "all",
        },
    )


def _middle(found: Evaluation, split: str) -> list[Value]:
    """How much better the midpoint is than the better end."""
    values = []
    for quantity in ("loss", "error"):
        each = _each(found, quantity)
        means = each.mean(1)
        end = each[0] if means[0] < means[-1] else each[-1]
        values.append(_mean(f"middle-gain-{quantity}", split, end - each[len(each) // 2]))
    return values


def _best(errors: Tensor) -> int:
    """Where the error is least; nearest to the end of training where several are."""
    return len(errors) - 1 - int(errors.flip(0).argmin())


def _area(first: Tensor, second: Tensor, split: str) -> Value:
    """Area between curve and chord: errors in-domain and OOD, each [points, examples].

    The area of the polygon of the points (x, y), x and y the accuracies, is bilinear in x and y;
    its standard error is that of its differential, the two splits' examples being independent.
    """
    import torch

    x, y = 1 - first.mean(1), 1 - second.mean(1)
    by_x = (y.roll(-1) - y.roll(1)) / 2
    by_y = (x.roll(1) - x.roll(-1)) / 2
    area = -torch.sign(x[-1] - x[0]) * (x @ by_x)  # the polygon runs clockwise if bent upwards
    if x[-1] == x[0]:  # no side of the chord is above
        area = torch.full_like(area, float("nan"))
    spread = None
    if min(first.shape[1], second.shape[1]) > 1 and bool(torch.isfinite(area)):
        parts = [weights @ each for weights, each in ((by_x, first), (by_y, second))]
        spread = sum(float(part.var()) / len(part) for part in parts) ** 0.5
    return Value(name="area-error", split=split, value=float(area), standard_error=spread)


def _mean(name: str, split: str, each: Tensor) -> Value:
    import torch

    mean, spread = each.mean(), None
    if len(each) > 1 and bool(torch.isfinite(mean)):
        spread = float(each.std()) / len(each) ** 0.5
    return Value(name=name, split=split, value=float(mean), standard_error=spread)


def _each(found: Evaluation, quantity: str) -> Tensor:
    """Losses or errors [points, examples]; NaN of a diverged run, which errs all along."""
    import torch

    losses, errors = found.example_losses, found.example_errors
    if losses is None or errors is None:  # they were asked for
        raise TypeError("the probe gave no values per example")
    each = losses if quantity == "loss" else errors
    return torch.full_like(each, nan) if diverged(losses) else each


WISE_CURVE = Metric(
    name="wise-curve",
    about="What mixing a run's weights with those that it started from gains, in-domain and OOD.",
    source="WiSE-FT: Wortsman et al. 2022, arXiv 2109.01903",
    settings=WiseCurveSettings,
    measure=measure,
    of="point",
    access="ood-labels",
    direction="larger: mixing helps more; its relation to OOD scores depends",
    formula="w(a) = (1-a) w_start + a w_end. middle-gain-error = min(E(w(0)), E(w(1))) - E(w(.5)), "
    "middle-gain-loss: L for E; chosen-gain-error = E(w(1)) - E(w(a*)) on an OOD split, a* = "
    "chosen-alpha the largest a of least error on the first in-domain split; area-error: area "
    "between the curve of (in-domain, OOD) accuracy over a and its chord, positive above it. "
    "lerp-loss, frankle-error and their like: `barrier` between start and end, the two domains' "
    "models, on every split.",
    invariances="permutation of units (start and end go together). Not under rescaling of units.",
    cost="(steps + 1) forward passes per run and split; with batch norm as many passes over train.",
    oracle="curves in closed form (parabolas, a straight line, a loop), a* told apart from the "
    "best a on OOD, the polygon's area by triangles, barriers of a parabola.",
    wants=lambda settings: ("start",),
)
