"""What a trained curve between two runs is found to be, beside the straight line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.api.readings import Curve, Reading, Value
from harness_landscape.around import in_lots, lot_size
from harness_landscape.barrier import barriers
from harness_landscape.curve_training import trained
from harness_landscape.example_mean import example_mean
from harness_landscape.straight_line import evenly, policy, ready

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from harness.api.contexts import Evaluation, Probe, Weights
    from harness_landscape.bent_curve import BentCurve, Shape
    from harness_landscape.curve_training import CurveSettings

WORSE = 0.01  # by what share of its loss a curve may lie above the straight line
SHOWN = ("arc-mean-loss", "arc-mean-error", "straight-lerp-loss", "straight-frankle-error")


def read(settings: CurveSettings, probe: Probe, shape: Shape) -> Reading:
    """Train a curve of that shape, and read it and the straight line on train and every split."""
    curve, losses = trained(settings, probe, shape)
    times = evenly(settings.points)
    splits = ("train", *(split for split in probe.splits if split != "train"))
    bent = _evaluated(curve.points(times, probe), splits, settings, probe)
    line = _evaluated(iter(probe.line(*curve.ends, times)), splits, settings, probe)
    values: list[Value] = []
    curves: list[Curve] = []
    for split in splits:
        values += barriers(times, bent[split], split)
        values += _heights(bent[split], curve.pieces(times), split)
        values += _renamed(barriers(times, line[split], split))
        for name, found in (("curve", bent[split]), ("line", line[split])):
            y = {"loss": found.loss.tolist(), "error": found.error.tolist()}
            curves.append(Curve(name=name, split=split, x=times, y=y, axis="t"))
    above = float((bent["train"].loss - line["train"].loss).mean())
    allowed = WORSE * abs(float(line["train"].loss.mean()))
    return Reading(
        values=(*values, *_training(curve, losses)),
        curves=tuple(curves),
        protocol={
            "points": settings.points,
            "steps": len(losses),
            "batch": min(settings.batch, probe.examples("train")),
            "rate": settings.rate,
            "momentum": settings.momentum,
            "decay": settings.decay,
            "trained_with": "no dropout, no augmentation, batch norm by the batch's statistics",
            "examples": {split: found.examples for split, found in bent.items()},
            "same_examples_at_all_points": True,
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": policy(probe, settings.recalibrate),
            "parameters": "all",
        },
        converged=math.isfinite(losses[-1]) and above <= allowed,
    )


def _evaluated(
    points: Iterable[Weights], splits: Iterable[str], settings: CurveSettings, probe: Probe
) -> dict[str, Evaluation]:
    """Losses and errors of every example at all points, few points in memory at once."""
    parts: dict[str, list[Evaluation]] = {split: [] for split in splits}
    for lot in in_lots(points, lot_size(len(probe.parameters(probe.weights())))):
        made = ready(lot, probe, settings.recalibrate)
        for split, found in parts.items():
            examples = settings.examples if split == "train" else None
            found.append(probe.evaluate(made, split, each=True, examples=examples))
    return {split: _joined(found) for split, found in parts.items()}


def _joined(parts: list[Evaluation]) -> Evaluation:
    import torch

    from harness.api.contexts import Evaluation

    return Evaluation(
        loss=torch.cat([part.loss for part in parts]),
        error=torch.cat([part.error for part in parts]),
        examples=parts[0].examples,
        example_losses=torch.cat([_each(part, "loss") for part in parts]),
        example_errors=torch.cat([_each(part, "error") for part in parts]),
    )


def _heights(found: Evaluation, pieces: list[float], split: str) -> list[Value]:
    """Least, greatest and mean height, the last over t and over the length of the curve."""
    import torch

    ways = torch.tensor(pieces, dtype=torch.float64)
    nothing = torch.zeros(1, dtype=torch.float64)
    shares = (torch.cat([ways, nothing]) + torch.cat([nothing, ways])) / (2 * ways.sum())
    values = []
    for quantity in ("loss", "error"):
        each = _each(found, quantity)
        means = each.mean(1)
        heights = {
            "min": each[int(means.argmin())],
            "max": each[int(means.argmax())],
            "mean": each.mean(0),
            "arc-mean": shares @ each,
        }
        values += [example_mean(f"{way}-{quantity}", split, at) for way, at in heights.items()]
    return [value.model_copy(update={"detail": value.name not in SHOWN}) for value in values]


def _renamed(values: list[Value]) -> list[Value]:
    """Barriers of the straight line, those of their authors to be shown."""
    names = [f"straight-{value.name}" for value in values]
    return [
        value.model_copy(update={"name": name, "detail": name not in SHOWN})
        for name, value in zip(names, values, strict=True)
    ]


def _training(curve: BentCurve, losses: list[float]) -> list[Value]:
    chord = curve.chord()
    length = curve.length() / chord if chord > 0 else math.nan  # two runs that are the same
    last = losses[-max(1, len(losses) // 10) :]
    return [
        Value(name="length", value=length),
        Value(name="training-loss", split="train", value=sum(last) / len(last), detail=True),
    ]


def _each(found: Evaluation, quantity: str) -> Tensor:
    each = found.example_losses if quantity == "loss" else found.example_errors
    if each is None:  # they were asked for
        raise TypeError("the probe gave no values per example")
    return each
