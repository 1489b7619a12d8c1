"""`break-even`: noise and curvature of the early steps, and where they are largest."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness_landscape.loss_settings import loss_protocol
from harness_landscape.waypoints import WaySettings, enough, tops

if TYPE_CHECKING:
    from harness.api.probes import Probe


class BreakEvenSettings(WaySettings):
    """Which loss is looked at, and how exactly."""


def measure(settings: BreakEvenSettings, probe: Probe) -> Reading:
    """Top eigenvalues of the covariance of batch gradients and of the Hessian along a run."""
    ways, facts = enough(BREAK_EVEN.name, probe), probe.training()
    hessian = tops(settings, probe, ways, "hessian")
    single = tops(settings, probe, ways, "covariance")
    batches = [facts.from_step(way.step)[0].batch for way in ways]
    noise = [top / batch for top, batch in zip(single.values, batches, strict=True)]
    split, steps = settings.split, [float(way.step) for way in ways]
    values = []
    for name, numbers in (("covariance", noise), ("hessian", hessian.values)):
        peak, step, ratio = _peak(numbers, steps)
        values += [
            Value(name=f"{name}-max", split=split, value=peak),
            Value(name=f"{name}-first-to-max", split=split, value=ratio),
            Value(name=f"{name}-max-step", split=split, value=step, detail=True),
            Value(name=f"{name}-final", split=split, value=numbers[-1], detail=True),
        ]
    values.append(Value(name="break-even-step", split=split, value=_peak(noise, steps)[1]))
    finite = all(map(isfinite, (*noise, *hessian.values)))
    return Reading(
        values=tuple(values),
        curves=(
            Curve(
                name="eigenvalues",
                split=split,
                x=steps,
                y={"covariance": noise, "hessian": hessian.values},
                axis="step",
            ),
        ),
        protocol={
            "points": [way.point for way in ways],
            "batch": sorted(set(batches)),
            "covariance": "of single examples' gradients, over the batch size; that a batch is "
            "drawn without replacement is left out",
            **loss_protocol(settings, probe),
            "tolerance": settings.tolerance,
        },
        converged=hessian.converged and single.converged and finite,
    )


def _peak(numbers: list[float], steps: list[float]) -> tuple[float, float, float]:
    """The largest number, its step, and the first number over it."""
    peak = max(filter(isfinite, numbers), default=nan)
    if not isfinite(peak):
        return nan, nan, nan
    return peak, steps[numbers.index(peak)], numbers[0] / peak if peak else nan


BREAK_EVEN = Metric(
    name="break-even",
    about="The largest gradient noise and curvature that a run passed through, and when.",
    source="Jastrzebski et al. 2020, arXiv 2002.09572",
    settings=BreakEvenSettings,
    measure=measure,
    of="trajectory",
    access="id",
    direction="smaller with a larger learning rate or a smaller batch, says the source; its "
    "relation to OOD scores depends",
    formula="At the points of a run (start, checkpoints, end): lambda_max(K), K = C / B the "
    "covariance of the gradients of batches of B examples, C that of single examples' gradients "
    "(the mean of g_i g_i' less g g'), B the training's batch size; lambda_max(H) of the Hessian, "
    "by value. *-max their maxima over the points, *-first-to-max the first over the maximum, "
    "break-even-step the step of the point where lambda_max(K) is largest: the break-even point "
    "as far as the checkpoints resolve it.",
    invariances="permutation of units, orthogonal changes of coordinates. Not under rescaling of "
    "layers, nor of the loss.",
    cost="10 to 30 Hessian products and as many covariance products per point, shared with "
    "`edge-of-stability` on the same examples.",
    oracle="linear regression on a given way: covariance and Hessian in closed form; dense "
    "matrices of a small network along its training.",
    wants=lambda settings: ("waypoints",),
)
