"""`aligned-barrier`: the barrier that is left once the units of one run are put in order."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.barrier import barriers
from harness_landscape.permutations import Units, alike, check
from harness_landscape.straight_line import (
    RECALIBRATE,
    RECALIBRATE_SOURCE,
    Recalibrate,
    evenly,
    policy,
    ready,
)
from harness_landscape.weight_matching import Matching, Search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.api.contexts import Probe, Weights

SOURCE = "https://arxiv.org/abs/2209.04836"


class AlignedBarrierSettings(Settings):
    """How units are matched, and how the line is sampled."""

    points: int = setting(
        11,
        "points on the line, both ends included, evenly spaced",
        source="as `barrier`; Ainsworth et al. 2022, arXiv 2209.04836, take 25",
        ge=3,
        le=1001,
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)
    restarts: int = setting(
        1,
        "descents; the first starts from the order as it is, others from random ones, the best "
        "inner product wins",
        source=SOURCE,
        ge=1,
        le=1000,
    )
    sweeps: int = setting(
        100, "sweeps over all symmetries at most, in a descent", source=SOURCE, ge=1
    )
    unaligned: bool = setting(
        False,
        "also the barriers without alignment, at the cost of as many passes again",
        source="a choice: `barrier` has them",
    )


def measure(settings: AlignedBarrierSettings, probe: Probe) -> Reading:
    """Barriers between the first run and the second in its best order, on every split."""
    first, second = probe.weights(0), probe.weights(1)
    symmetries = _symmetries(probe, second)
    matching = _matched(settings, probe, symmetries)
    alphas = evenly(settings.points)
    # The end computes what the run does, and is known already if others have looked at it.
    line = [*probe.line(first, matching.weights, alphas)[:-1], second]
    values, curves = _along("", line, alphas, settings, probe)
    if settings.unaligned:
        plain = probe.line(first, second, alphas)
        more, other = _along("unaligned-", plain, alphas, settings, probe)
        values, curves = values + more, curves + other
    l2 = {"l2-aligned": matching.weights, "l2-unaligned": second}
    values += [Value(name=n, value=_distance(probe, first, w)) for n, w in l2.items()]
    values += [
        Value(name="moved", value=matching.moved if matching.objectives else nan),
        Value(name="sweeps", value=float(matching.sweeps), detail=True),
    ]
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol={
            "points": settings.points,
            "examples": {split: probe.examples(split) for split in probe.splits},
            "same_examples_at_all_points": True,
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": policy(probe, settings.recalibrate),
            "parameters": "all",
            "matched_by": "inner product of all trainable parameters",
            "symmetries": {units.name: units.count for units in symmetries},
            "restarts": settings.restarts,
        },
        converged=matching.converged,
    )


def _symmetries(probe: Probe, weights: Weights) -> tuple[Units, ...]:
    declared = probe.symmetries()
    if not declared:
        raise HarnessError(
            "the model declares no symmetries, so there is nothing to align",
            fix="leave `aligned-barrier` out, or give the model's Network its `symmetries`",
        )
    return tuple(Units.of(symmetry, weights) for symmetry in declared)


def _matched(
    settings: AlignedBarrierSettings, probe: Probe, symmetries: tuple[Units, ...]
) -> Matching:
    """The second run's weights in the order that is nearest to the first's."""
    import torch

    first, second = probe.weights(0), probe.weights(1)
    names = probe.names()
    if not all(bool(torch.isfinite(w[name]).all()) for w in (first, second) for name in names):
        as_it_is = {units.name: torch.arange(units.count) for units in symmetries}
        return Matching(second, as_it_is, (), 0, converged=False)  # a diverged run has no match
    check(probe, second, symmetries)
    search = Search(first, second, tuple(names), symmetries, probe.generator("matching"))
    matching = search.best(settings.restarts, settings.sweeps)
    alike(probe, second, matching.weights, "all symmetries together")
    return matching


def _along(
    prefix: str,
    line: Sequence[Weights],
    alphas: list[float],
    settings: AlignedBarrierSettings,
    probe: Probe,
) -> tuple[list[Value], list[Curve]]:
    points = ready(line, probe, settings.recalibrate)
    values: list[Value] = []
    curves: list[Curve] = []
    for split in probe.splits:
        found = probe.evaluate(points, split, each=True)
        for value in barriers(alphas, found, split):
            values.append(value.model_copy(update={"name": prefix + value.name}))
        y = {"loss": found.loss.tolist(), "error": found.error.tolist()}
        curves.append(Curve(name=f"{prefix}line", split=split, x=alphas, y=y, axis="alpha"))
    return values, curves


def _distance(probe: Probe, first: Weights, second: Weights) -> float:
    """l2 over the trainable parameters."""
    pairs = ((first[name].cpu().double(), second[name].cpu().double()) for name in probe.names())
    return float(sum(float((one - other).square().sum()) for one, other in pairs) ** 0.5)


ALIGNED_BARRIER = Metric(
    name="aligned-barrier",
    about="How high loss and error rise between two runs once their units are in one order.",
    source="weight matching: Ainsworth et al. 2022, arXiv 2209.04836; batch-norm statistics: "
    "Jordan et al. 2022, arXiv 2211.08403; the conjecture: Entezari et al. 2022, arXiv 2110.06296",
    settings=AlignedBarrierSettings,
    measure=measure,
    of="pair",
    access="ood-labels",
    direction="larger: the two runs lie in different basins even up to the order of their units; "
    "its relation to OOD scores depends",
    formula="lerp-loss, frankle-error, ... of `barrier` on the line from w0 to P w1; P = argmax "
    "<w0, P w1> over the orders of units that the model declares free, by coordinate descent (one "
    "linear assignment per symmetry, exact; the whole a local optimum). l2-aligned = ||w0 - P w1||,"
    " l2-unaligned = ||w0 - w1|| over trainable parameters; moved: share of units that P moves; "
    "sweeps: those that changed something; unaligned-NAME: of the line to w1.",
    invariances="permutation of the units of either run, as far as the descent finds the optimum; "
    "exchange of the two runs likewise. Not under rescaling of units.",
    cost="as `barrier` ((points - 2) forward passes per pair and split, and one per run and split; "
    "with batch norm `points` passes over train); per sweep n^2 x fan + n^3 operations for a layer "
    "of n units; 8 examples per symmetry.",
    oracle="a permuted copy is recovered exactly (l2-aligned 0, no barrier, a barrier before); all "
    "permutations of a small layer tried; one hidden layer takes one sweep.",
    wants=lambda settings: ("symmetries",),
)
