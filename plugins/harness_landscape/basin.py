"""`basin`: how even the loss is between two runs, and how far outside of them it rises."""

from __future__ import annotations

from itertools import islice
from math import inf, isfinite, isnan, nan
from typing import TYPE_CHECKING

from pydantic import PositiveFloat

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.quadrature import deviation, half_normal
from harness_landscape.straight_line import (
    RECALIBRATE,
    RECALIBRATE_SOURCE,
    Recalibrate,
    evenly,
    policy,
    ready,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from harness.api.contexts import Probe, Weights

    Ends = tuple[Weights, Weights]

AT_ONCE = 2**24  # numbers in points that are made at a time
NODES = 5  # of the quadrature for |nu|: exact for polynomials up to degree 9


class BasinSettings(Settings):
    """How the segment is sampled, and how far outside it is looked."""

    points: int = setting(
        11, "points on the segment, both ends included", source="as for `barrier`", ge=3, le=1001
    )
    deltas: tuple[PositiveFloat, ...] = setting(
        (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0),
        "deltas to try, in units of the distance between the two runs",
        source="a choice; extrapolating until the loss rises: Neyshabur et al. 2020, "
        "arXiv 2008.11687",
        min_length=1,
    )
    samples: int = setting(
        4, "random displacements per end and delta", source="a choice", ge=2, le=1000
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def measure(settings: BasinSettings, probe: Probe) -> Reading:
    """Epsilon of the segment, and the least delta at which the loss outside has risen enough."""
    alphas = evenly(settings.points)
    ends = probe.weights(0), probe.weights(1)
    line = probe.line(*ends, alphas)
    points = ready(line, probe, settings.recalibrate)
    inside = {split: probe.evaluate(points, split).loss for split in probe.splits}
    outside = _losses_outside(settings, ends, probe)
    length = _length(ends, probe)
    values: list[Value] = []
    curves: list[Curve] = []
    for split in probe.splits:
        found, curve = _judged(inside[split], outside[split], split, length)
        values += found
        loss = {"loss": inside[split].tolist()}
        curves += [Curve(name="line", split=split, x=alphas, y=loss, axis="alpha"), curve]
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol={
            "points": settings.points,
            "deltas": list(settings.deltas),
            "samples": settings.samples,
            "quantity": "loss",
            "examples": {split: probe.examples(split) for split in probe.splits},
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": policy(probe, settings.recalibrate),
            "parameters": "all",
        },
        converged=not any(value.value == inf for value in values if value.name == "delta-relative"),
    )


def _losses_outside(
    settings: BasinSettings, ends: Ends, probe: Probe
) -> dict[str, dict[float, Tensor]]:
    """By split and delta: mean losses of the two ends' points outside, as `_outside` has them."""
    import torch

    found: dict[str, dict[float, Tensor]] = {split: {} for split in probe.splits}
    at_once = max(1, AT_ONCE // len(probe.parameters(ends[0])))
    for delta in sorted(settings.deltas):
        losses: dict[str, list[Tensor]] = {split: [] for split in probe.splits}
        for there, here in (ends, ends[::-1]):
            points = _outside(here, there, delta, settings.samples, probe)
            while some := list(islice(points, at_once)):
                ready_ones = ready(some, probe, settings.recalibrate)
                for split in probe.splits:
                    losses[split].append(probe.evaluate(ready_ones, split).loss)
        for split in probe.splits:
            found[split][delta] = torch.cat(losses[split]).reshape(2, -1).mean(0)
    return found


def _judged(
    inside: Tensor, outside: dict[float, Tensor], split: str, length: float
) -> tuple[list[Value], Curve]:
    import torch

    mean, epsilon = deviation(inside)
    shares = torch.tensor(half_normal(NODES)[1], dtype=torch.float64)
    details = [
        Value(name="mean-loss", split=split, value=mean, detail=True),
        Value(name="length", split=split, value=length, detail=True),
    ]
    along, around, least = [], [], nan if isnan(epsilon) else inf
    for delta, losses in outside.items():
        above = losses - mean
        straight, drawn = float(shares @ above[:NODES]), above[NODES:]
        spread = float(drawn.std()) / len(drawn) ** 0.5
        along.append(straight)
        around.append(float(drawn.mean()))
        if least == inf and min(along[-1], around[-1]) >= 2 * epsilon:
            least = delta
        rise = Value(name=f"rise-along[{delta:g}]", split=split, value=along[-1], detail=True)
        drawn_rise = Value(
            name=f"rise-around[{delta:g}]",
            split=split,
            value=around[-1],
            standard_error=spread if isfinite(spread) else None,
            detail=True,
        )
        details += [rise, drawn_rise]
    values = [
        Value(name="epsilon", split=split, value=epsilon),
        Value(name="delta", split=split, value=least * length),
        Value(name="delta-relative", split=split, value=least),
    ]
    y = {"along": along, "around": around}
    return values + details, Curve(name="outside", split=split, x=list(outside), y=y, axis="delta")


def _length(ends: Ends, probe: Probe) -> float:
    first, second = (probe.parameters(end) for end in ends)
    return float((second - first).cpu().double().norm())  # not all devices have doubles


def _outside(
    end: Weights, other: Weights, delta: float, samples: int, probe: Probe
) -> Iterator[Weights]:
    """Points beyond one end: NODES straight on, then `samples` in random directions."""
    import torch

    here = probe.parameters(end)
    way = here - probe.parameters(other)
    for node in half_normal(NODES)[0]:
        yield probe.at(here + delta * node * way, end)
    size = delta * _length((end, other), probe) / len(here) ** 0.5
    for number in range(samples):  # the same directions for every delta and at both ends
        draw = torch.randn(len(here), generator=probe.generator(f"around {number}"))
        yield probe.at(here + size * draw.to(here), end)


BASIN = Metric(
    name="basin",
    about="For which epsilon and delta the segment between two runs is an (epsilon, delta)-basin.",
    source="definition 3.1 of Neyshabur et al. 2020, arXiv 2008.11687",
    settings=BasinSettings,
    measure=measure,
    of="pair",
    access="ood-labels",
    direction="larger epsilon: the loss varies more between the runs; larger delta: walls stand "
    "further outside; the relation of either to OOD scores depends",
    formula="mu, epsilon: mean and mean absolute deviation of the loss on the segment. "
    "rise-along[d] = E L(f + |nu| u) - mu, f an end, u outwards along the segment, nu ~ N(0, "
    "delta^2); rise-around[d] = E L(f + nu) - mu, nu ~ N(0, delta^2 / P I); both averaged over the "
    "ends, delta = d times the length. delta: the least on the grid with both >= 2 epsilon, "
    "infinite (and not converged) where there is none; delta-relative = delta / length. Per split.",
    invariances="exchange of the two runs (up to the draws), permutation of units (both runs'). "
    "Not under rescaling of units.",
    cost="(points - 2) + 2 deltas (5 + samples) forward passes per pair and split, and one per run "
    "and split; with batch norm as many passes over train.",
    oracle="a flat box with walls (epsilon 0, E|nu| = delta sqrt(2 / pi)), quadratics (closed "
    "forms of epsilon and both rises).",
)
