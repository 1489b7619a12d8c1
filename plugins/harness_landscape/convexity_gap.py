"""`convexity-gap`: how far loss and error rise above any chord of the line between two runs."""

from __future__ import annotations

import math
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
    from torch import Generator, Tensor

    from harness.api.contexts import Probe

NAMES = ("gap-loss", "gap-error")
AT_ONCE = 2**22  # excesses, or resampled examples, that are held at a time


class ConvexityGapSettings(Settings):
    """How the line is sampled, and how its noise is judged."""

    points: int = setting(
        11,
        "points on the line, both ends included, evenly spaced; more find narrower bumps",
        source="a choice, as for `barrier`; Juneja et al. 2023, arXiv 2205.12411, take ten",
        ge=3,
        le=201,
    )
    resamples: int = setting(
        200,
        "bootstrap samples of the examples that the noise is read off",
        source="a choice",
        ge=20,
    )
    level: float = setting(
        0.95,
        "quantile of the noise: a gap below it is compatible with a convex curve",
        source="a choice",
        gt=0.5,
        lt=1,
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def measure(settings: ConvexityGapSettings, probe: Probe) -> Reading:
    """Gaps of the pair on every split, their noise, and the curves that they were read off."""
    import torch

    alphas = evenly(settings.points)
    line = probe.line(probe.weights(0), probe.weights(1), alphas)
    points = ready(line, probe, settings.recalibrate)
    values: list[Value] = []
    curves: list[Curve] = []
    sizes: dict[str, int] = {}
    for split in probe.splits:
        found = probe.evaluate(points, split, each=True)
        if found.example_losses is None or found.example_errors is None:  # they were asked for
            raise TypeError("the probe gave no values per example")
        both = torch.stack([found.example_losses, found.example_errors])
        if diverged(found.example_losses):
            both = torch.full_like(both, math.nan)  # also the errors: 1, as those beside them
        draws = resampled(both, settings.resamples, probe.generator(f"bootstrap {split}"))
        noise = gaps(draws - both.mean(2)).quantile(settings.level, 0)
        for name, each, threshold in zip(NAMES, both, noise.tolist(), strict=True):
            values += _gap_values(name, alphas, each, split)
            values.append(Value(name=f"{name}-noise", split=split, value=threshold, detail=True))
        y = {"loss": found.loss.tolist(), "error": found.error.tolist()}
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
            "noise": f"{settings.level:g} quantile over {settings.resamples} bootstrap samples",
        },
    )


def _gap_values(name: str, alphas: list[float], each: Tensor, split: str) -> list[Value]:
    """The gap, its standard error (for the three points taken as given), and the points."""
    import torch

    first, middle, last, share = _triples(len(alphas))
    heights = each.mean(1)
    above = heights[middle] - torch.lerp(heights[first], heights[last], share)
    best = int(above.argmax())
    gap = float(above[best].clamp(min=0))
    spread, at = 0.0 if gap == 0 else None, [alphas[0]] * 3
    if math.isnan(gap):
        at = [math.nan] * 3
    elif gap > 0:
        places = (int(first[best]), int(middle[best]), int(last[best]))
        at = [alphas[place] for place in places]
        start, here, end = (each[place] for place in places)
        if each.shape[1] > 1 and math.isfinite(gap):
            excess = here - torch.lerp(start, end, share[best])
            spread = float(excess.std()) / each.shape[1] ** 0.5
    found = [Value(name=name, split=split, value=gap, standard_error=spread)]
    for where, alpha in zip(("start", "alpha", "end"), at, strict=True):
        found.append(Value(name=f"{name}-{where}", split=split, value=alpha, detail=True))
    return found


def gaps(heights: Tensor) -> Tensor:
    """Convexity gaps [...] of curves of evenly spaced heights [..., points].

    max over i < k < j of h_k - [(j - k) h_i + (k - i) h_j] / (j - i), and at least 0.

    >>> import torch
    >>> gaps(torch.tensor([[1.0, 0.0, 0.5, 0.0, 1.0], [4.0, 1.0, 0.0, 1.0, 4.0]])).tolist()
    [0.5, 0.0]
    """
    import torch

    first, middle, last, share = _triples(heights.shape[-1])
    share = share.to(heights.dtype)
    flat = heights.reshape(-1, heights.shape[-1])
    highest = [
        (some[:, middle] - torch.lerp(some[:, first], some[:, last], share)).amax(1)
        for some in torch.split(flat, max(1, AT_ONCE // len(share)))
    ]
    return torch.cat(highest).clamp(min=0).reshape(heights.shape[:-1])


def _triples(points: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """All i < k < j, and the share (k - i) / (j - i) of the later end in the chord at k."""
    import torch

    first, middle, last = torch.combinations(torch.arange(points), 3).unbind(1)
    return first, middle, last, (middle - first).double() / (last - first)


def resampled(each: Tensor, count: int, generator: Generator) -> Tensor:
    """Means [count, ...] of `each` [..., examples] over bootstrap samples of the examples."""
    import torch

    examples = each.shape[-1]
    flat = each.reshape(-1, examples)
    means = []
    for draws in torch.split(torch.arange(count), max(1, AT_ONCE // examples)):
        drawn = torch.randint(examples, (len(draws), examples), generator=generator)
        times = torch.zeros(drawn.shape, dtype=each.dtype)
        times.scatter_add_(1, drawn, torch.ones_like(times))
        means.append(times @ flat.T / examples)
    return torch.cat(means).reshape(count, *each.shape[:-1])


CONVEXITY_GAP = Metric(
    name="convexity-gap",
    about="How far loss and error rise above any chord of the straight line between two runs.",
    source="Juneja et al. 2023, arXiv 2205.12411",
    settings=ConvexityGapSettings,
    measure=measure,
    of="pair",
    access="ood-labels",
    direction="larger: the two runs lie further from a common convex basin of that split; its "
    "relation to OOD scores depends",
    formula="gap-loss = max over 0 <= g < a < b <= 1 of L(w(a)) - [(b-a) L(w(g)) + (a-g) L(w(b))] "
    "/ (b-g), w(a) = (1-a) w0 + a w1, at least 0; gap-error: E for L. NAME-start, NAME-alpha, "
    "NAME-end are the g, a, b of the maximum; NAME-noise is what sampling of the examples alone "
    "reaches on a straight curve (a quantile over bootstrap samples). All per split.",
    invariances="exchange of the two runs (the noise up to its draws), adding a straight slope to "
    "the curve. Not under permutation or rescaling of units. At least as large as `barrier`'s "
    "lerp. No metric in the sense of mathematics: the triangle inequality can fail.",
    cost="(points - 2) forward passes per pair and split, and one per run and split, as `barrier`; "
    "points^3 / 6 subtractions per resample; with batch norm `points` passes over train.",
    oracle="closed forms along the line (linear, quadratic, double well, samples, W), 0 for convex "
    "losses, |c|/8 for curvature c < 0, a loop over all chords.",
)
