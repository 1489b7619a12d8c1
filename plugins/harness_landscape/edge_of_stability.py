"""`edge-of-stability`: the sharpness along a run, beside what its learning rate could bear."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING, Literal

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import setting
from harness_landscape.loss_settings import loss_protocol
from harness_landscape.waypoints import WaySettings, enough, tops

if TYPE_CHECKING:
    from harness.api.probes import Probe
    from harness.api.trajectories import TrainedPhase


class EdgeOfStabilitySettings(WaySettings):
    """Which threshold the sharpness is compared with, and which loss is looked at."""

    threshold: Literal["optimizer", "gradient-descent"] = setting(
        "optimizer",
        "what the sharpness is divided by: what sgd's momentum can bear, or 2 / lr whatever the "
        "optimizer; the same without momentum, and for adam and adamw",
        source="with momentum: Cohen et al. 2021, arXiv 2103.00065",
    )


def measure(settings: EdgeOfStabilitySettings, probe: Probe) -> Reading:
    """Ratios of sharpness and threshold at the run's points: largest, last, share above 1."""
    ways, facts = enough(EDGE_OF_STABILITY.name, probe), probe.training()
    sharpness = tops(settings, probe, ways, "hessian")
    thresholds = []
    for way in ways:
        phase, rate = facts.from_step(way.step)
        thresholds.append(bearable(phase, rate, settings.threshold))
    ratios = [top / most for top, most in zip(sharpness.values, thresholds, strict=True)]
    finite = [ratio for ratio in ratios if isfinite(ratio)]
    largest = max(finite, default=nan)
    split, steps = settings.split, [float(way.step) for way in ways]
    values = {
        "largest-ratio": largest,
        "final-ratio": ratios[-1],
        "share-above": sum(ratio > 1 for ratio in finite) / len(finite) if finite else nan,
    }
    details = {
        "largest-step": steps[ratios.index(largest)] if finite else nan,
        "largest-sharpness": max((v for v in sharpness.values if isfinite(v)), default=nan),
        "final-sharpness": sharpness.values[-1],
        "points": float(len(ways)),
    }
    names = sorted({phase.optimizer.name for phase in facts.phases})
    return Reading(
        values=(
            *(Value(name=name, split=split, value=value) for name, value in values.items()),
            *(Value(name=n, split=split, value=v, detail=True) for n, v in details.items()),
        ),
        curves=(
            Curve(
                name="sharpness",
                split=split,
                x=steps,
                y={"sharpness": sharpness.values, "threshold": thresholds},
                axis="step",
            ),
            Curve(name="ratio", split=split, x=steps, y={"ratio": ratios}, axis="step"),
        ),
        protocol={
            "points": [way.point for way in ways],
            "learning_rate": "that of the step taken from the point; at the end that of the last",
            "threshold": settings.threshold,
            "optimizer": names,
            "preconditioned": False,
            **loss_protocol(settings, probe),
            "tolerance": settings.tolerance,
        },
        converged=sharpness.converged and len(finite) == len(ratios),
    )


def bearable(phase: TrainedPhase, rate: float, threshold: str) -> float:
    """The largest curvature at which the optimizer's steps at this rate do not grow.

    2 / rate for gradient descent; with momentum b (2 + 2b) / rate, with Nesterov's
    (2 + 2b) / (rate (1 + 2b)). Infinite at a rate of 0.

    >>> from harness.api.recipes import Optimizer
    >>> from harness.api.trajectories import TrainedPhase
    >>> bearable(TrainedPhase(Optimizer("sgd", momentum=0.5), 8, (0.1,)), 0.1, "optimizer")
    30.0
    """
    if rate == 0.0:
        return float("inf")
    momentum = phase.optimizer.momentum if phase.optimizer.name == "sgd" else 0.0
    if threshold == "gradient-descent" or momentum == 0.0:
        return 2.0 / rate
    most = 2.0 + 2.0 * momentum
    return most / (1.0 + 2.0 * momentum) / rate if phase.optimizer.nesterov else most / rate


EDGE_OF_STABILITY = Metric(
    name="edge-of-stability",
    about="The largest Hessian eigenvalue along a run, over the largest that its steps can bear.",
    source="Cohen et al. 2021, arXiv 2103.00065",
    settings=EdgeOfStabilitySettings,
    measure=measure,
    of="trajectory",
    access="id",
    direction="above 1: sharper than a quadratic could be trained at; relation to OOD: depends",
    formula="ratio = lambda_max(H) eta / 2 at the points of a run (start, checkpoints, end): H the "
    "Hessian of the mean loss, lambda_max its largest eigenvalue by value, eta the learning rate "
    "of the step taken from there; for sgd with momentum b the 2 is 2 + 2b, with Nesterov's "
    "(2 + 2b) / (1 + 2b). largest-ratio, final-ratio, share-above: share of points above 1. For "
    "adam and adamw the threshold is of the *preconditioned* Hessian (Cohen et al. 2022, arXiv "
    "2207.14484), which is not measured: the ratio then only follows lambda_max eta / 2.",
    invariances="permutation of units, orthogonal changes of coordinates. Not under rescaling of "
    "layers.",
    cost="10 to 30 Hessian products per point, shared with `break-even` and other metrics of the "
    "Hessian on the same examples; 9 points for 100 steps with `checkpoints: log`.",
    oracle="gradient descent on a quadratic, with both kinds of momentum: it grows exactly where "
    "the ratio is above 1; the dense Hessian of a small network along its training.",
    wants=lambda settings: ("waypoints",),
)
