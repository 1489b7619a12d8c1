"""`learning-curve`: loss, error and scores in-domain and OOD at the points that a run kept."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Json, Settings, setting
from harness_landscape.barrier import scores_along
from harness_landscape.example_mean import example_mean
from harness_landscape.waypoints import Waypoint, enough

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.probes import Evaluation, Probe


class LearningCurveSettings(Settings):
    """What is read besides loss and error."""

    scores: tuple[str, ...] = setting(
        (),
        "scores of the suite to draw too, by name, besides loss and error",
        source="a choice: loss and error are those that everything else is read on",
    )


def measure(settings: LearningCurveSettings, probe: Probe) -> Reading:
    """Curves over the steps, and what an earlier point than the last would have gained."""
    ways = enough("learning-curve", probe)
    steps = [float(way.step) for way in ways]
    points = [probe.weights(0, way.point) for way in ways]
    found = {split: probe.evaluate(points, split, each=True) for split in probe.splits}
    reference = next((split for split in probe.splits if probe.kind(split) == "id"), None)
    diverged = probe.training().diverged_at is not None
    values: list[Value] = []
    for split, at in found.items():
        for quantity in ("loss", "error"):
            each = _each(at, quantity)
            best = _latest_best(each)
            values += _gain(f"best-gain-{quantity}", split, each, best, diverged=diverged)
            step = nan if diverged else steps[best]
            values.append(Value(name=f"best-step-{quantity}", split=split, value=step, detail=True))
    if reference is not None:
        chosen = _latest_best(_each(found[reference], "error"))
        step = nan if diverged else steps[chosen]
        values.append(Value(name="chosen-step", split=reference, value=step))
        for split in found:
            if probe.kind(split) == "ood":
                each = _each(found[split], "error")
                values += _gain("chosen-gain-error", split, each, chosen, diverged=diverged)
    curves = []
    for split, at in found.items():
        y = {"loss": at.loss.tolist(), "error": at.error.tolist()}
        y |= {name: one.values for name, one in scores_along(probe, points, split).items()}
        curves.append(Curve(name="learning", split=split, x=steps, y=y, axis="step"))
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol=_protocol(ways, found, reference),
    )


def _protocol(ways: list[Waypoint], found: dict[str, Evaluation], reference: str | None
              ) -> dict[str, Json]:  # fmt: skip
    return {
        "points": [way.point for way in ways],
        "chosen_on": reference,
        "examples": {split: at.examples for split, at in found.items()},
        "same_examples_at_all_points": True,
        "reduction": "mean over examples",
        "mode": "eval",
        "batch_norm": "statistics as they were at each point",
        "parameters": "all",
    }


def _latest_best(each: Tensor) -> int:
    """Where the mean is least; the latest such point, NaN never."""
    means = each.mean(1).nan_to_num(nan=float("inf"))
    return len(means) - 1 - int(means.flip(0).argmin())


def _gain(name: str, split: str, each: Tensor, at: int, *, diverged: bool) -> list[Value]:
    """What the last point has more than the one at this place, paired by example."""
    if diverged:  # its last weights are no point: nothing to compare with
        return [Value(name=name, split=split, value=nan)]
    return [example_mean(name, split, each[-1] - each[at])]


def _each(found: Evaluation, quantity: str) -> Tensor:
    """Losses or errors [points, examples]."""
    each = found.example_losses if quantity == "loss" else found.example_errors
    if each is None:  # they were asked for
        raise TypeError("the probe gave no values per example")
    return each


LEARNING_CURVE = Metric(
    name="learning-curve",
    about="Loss and error in-domain and OOD at a run's checkpoints, and what stopping there gains.",
    source="early stopping: Prechelt 1998, doi 10.1007/3-540-49430-8_3; choosing for OOD "
    "scores by in-domain ones: Gulrajani and Lopez-Paz 2021, arXiv 2007.01434",
    settings=LearningCurveSettings,
    measure=measure,
    of="trajectory",
    access="ood-labels",
    direction="larger: an earlier checkpoint is better than the last; its relation to OOD scores "
    "depends",
    formula="w_k: the run's points (start, checkpoints, end w_T). best-gain-error = E(w_T) - "
    "min_k E(w_k), best-gain-loss: L for E, both >= 0; best-step-*: the latest step of the "
    "minimum; chosen-step: that of the in-domain error, and chosen-gain-error = E(w_T) - "
    "E(w_chosen) on an OOD split. NaN for a run that diverged.",
    invariances="all that leaves the function alone: permutation and rescaling of units.",
    scores=lambda settings: settings.scores,
    cost="one forward pass per point and split, twice that with `scores`.",
    oracle="losses in closed form along a made-up way; the last point's are those of `id-score`.",
    wants=lambda settings: ("waypoints",),
)
