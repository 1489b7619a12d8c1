"""Training of a curve with one bend between two runs: its expected loss is minimised."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.looks import Look
from harness.api.settings import Settings, setting
from harness_landscape.bent_curve import BentCurve, Shape
from harness_landscape.straight_line import RECALIBRATE, RECALIBRATE_SOURCE, Recalibrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator

    from harness.api.contexts import Probe

GARIPOV = "Garipov et al. 2018, arXiv 1802.10026"
HIGH, LOW, LEAST = 0.5, 0.9, 0.01  # the rate: constant, falling from, least from, to what share


class CurveSettings(Settings):
    """How the bend is trained, and where the curve is looked at."""

    steps: int = setting(
        1000,
        "steps of the training of the bend, one batch and one t each",
        source=f"a choice that is practical per pair: {GARIPOV} train for 200 to 600 epochs, some "
        "80,000 to 230,000 steps",
        ge=1,
    )
    batch: int = setting(128, "training examples per step", source=GARIPOV, ge=1)
    rate: float = setting(
        0.015,
        "learning rate: constant for half of the steps, then down a straight line to a hundredth "
        "at nine tenths, then constant",
        source=f"{GARIPOV}: 0.015 (VGG-16) or 0.03 (residual networks)",
        gt=0,
    )
    momentum: float = setting(0.9, "momentum of SGD", source=GARIPOV, ge=0, lt=1)
    decay: float = setting(
        0.0,
        "weight decay on the point of the curve; 0 minimises the expected loss alone",
        source=f"a choice, the definition as it stands; {GARIPOV} train runs and curves with 3e-4 "
        "or 5e-4",
        ge=0,
    )
    points: int = setting(
        21,
        "points on the curve, both ends included, evenly spaced in t; odd numbers have the bend's",
        source=f"a choice: {GARIPOV} take 61",
        ge=3,
        le=1001,
    )
    examples: int | None = setting(
        1000,
        "training examples that the finished curve is read on; null: all of them",
        source="a choice",
        ge=1,
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def trained(settings: CurveSettings, probe: Probe, shape: Shape) -> tuple[BentCurve, list[float]]:
    """The curve whose bend was trained from the middle of the chord, and the loss at every step.

    SGD on E L(phi(t)), t uniform on [0, 1] and drawn anew for every batch, the ends fixed. By the
    chain rule the bend's gradient is b(t) times that at phi(t). Training stops where the loss is
    no number any more.
    """
    import torch

    ends = probe.weights(0), probe.weights(1)
    start, end = (probe.parameters(weights) for weights in ends)
    bend = (start + end) / 2
    speed = torch.zeros_like(bend)
    losses: list[float] = []
    generator = probe.generator()
    looks = _looks(_sizes(settings, probe), generator)
    for step in range(settings.steps):
        t = float(torch.rand((), generator=generator, dtype=torch.float64))
        here = BentCurve(ends, (start, bend, end), shape).vector(t)
        loss, slope = probe.slope(probe.at(here, ends[0]), "train", next(looks))
        losses.append(loss)
        if not math.isfinite(loss):
            break
        _, share, _ = shape(t)
        speed = settings.momentum * speed + share * (slope + settings.decay * here)
        bend = bend - settings.rate * rate_share(step / settings.steps) * speed
    return BentCurve(ends, (start, bend, end), shape), losses


def rate_share(progress: float) -> float:
    """The learning rate at a time of training from 0 to 1, as a share of the first.

    >>> [round(rate_share(progress), 3) for progress in (0, 0.5, 0.7, 0.9, 1)]
    [1.0, 1.0, 0.505, 0.01, 0.01]
    """
    if progress <= HIGH:
        return 1.0
    return max(LEAST, 1 - (1 - LEAST) * (progress - HIGH) / (LOW - HIGH))


def _sizes(settings: CurveSettings, probe: Probe) -> tuple[int, int]:
    """How many batches of nearly equal size the training examples fall into, and that size.

    Where there is batch norm, a last batch of one example is left out: it has no spread.

    Raises:
        HarnessError: where there is batch norm, and every batch has one example.
    """
    examples = probe.examples("train")
    size = -(-examples // -(-examples // settings.batch))
    if probe.batch_norm and size == 1:
        message = "a network with batch norm does not train on batches of one example"
        raise HarnessError(message, fix="give it a larger `batch`, and more training examples")
    alone = probe.batch_norm and examples % size == 1
    return -(-examples // size) - alone, size


def _looks(sizes: tuple[int, int], generator: Generator) -> Iterator[Look]:
    """All training examples in batches, epoch after epoch in new order."""
    import torch

    count, size = sizes
    while True:
        for number in torch.randperm(count, generator=generator).tolist():
            yield Look(batch=(number, size), batch_statistics=True)
