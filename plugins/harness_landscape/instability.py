"""`instability`: from which step on a run's end lies in one basin, whatever noise follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.api.cells import Branch
from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.copies import copies_of, distances, rises
from harness_landscape.example_mean import example_mean
from harness_landscape.straight_line import (
    RECALIBRATE,
    RECALIBRATE_SOURCE,
    Recalibrate,
    evenly,
    policy,
    ready,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.api.contexts import Probe, Weights
    from harness_landscape.copies import Copies

PAPER = "Frankle et al. 2020, arXiv 1912.05671"
HEADLINE = "frankle-error"
SHOWN = (HEADLINE, "lerp-error")
KINDS = (*SHOWN, "frankle-loss", "lerp-loss")


class InstabilitySettings(Settings):
    """Where runs are branched, how often, and how the lines between the copies are sampled."""

    at: tuple[float, ...] = setting(
        (0.0, 0.02, 0.05, 0.1, 0.3),
        "shares of the training after which it is branched; 1 trains the run again, as a control",
        source=f"a choice that brackets the onsets at 0, 1.5, 3, 20 and 28 % of {PAPER}",
        min_length=1,
    )
    steps: tuple[int, ...] | None = setting(
        None, "the steps themselves, in place of `at`", source=PAPER, min_length=1
    )
    copies: int = setting(
        2,
        "copies, compared two by two: the run itself is one, each of the others is a training",
        source=f"two: {PAPER}",
        ge=2,
        le=100,
    )
    points: int = setting(
        30,
        "points on the line between two copies, both ends included, evenly spaced",
        source=PAPER,
        ge=3,
        le=1001,
    )
    stable: float = setting(
        0.02, "a run is stable where the error rises by less than this", source=PAPER, gt=0, le=1
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def branches(settings: InstabilitySettings, steps: int | None) -> tuple[Branch, ...]:
    """A branch per step and copy but the first: that is the run itself, whatever the step."""
    if settings.steps is not None:
        if min(settings.steps) < 0:
            raise HarnessError("`steps` holds steps of the training", fix="give numbers from 0 on")
        at = settings.steps
    elif not all(0 <= share <= 1 for share in settings.at):
        raise HarnessError("`at` holds shares of the training", fix="give numbers from 0 to 1")
    elif steps is None:
        message = "how long a run trains is not known before its data are loaded"
        raise HarnessError(message, fix="give `steps` in place of `at`")
    else:
        at = tuple(round(share * steps) for share in settings.at)
    copies = range(1, settings.copies)
    return tuple(Branch(step, copy) for step in sorted(set(at)) for copy in copies)


def measure(settings: InstabilitySettings, probe: Probe) -> Reading:
    """Barriers and distances between the copies of every step, and where the former end."""
    parted = copies_of(probe)
    alphas = evenly(settings.points)
    lines = [_lines(copies, alphas, settings, probe) for copies in parted]
    steps = [float(copies.step) for copies in parted]
    values: list[Value] = []
    curves: list[Curve] = []
    for split in probe.splits:
        found = [rises(each, alphas, split, probe) for each in lines]
        y: dict[str, list[float]] = {}
        for kind in KINDS:
            each = [
                example_mean(f"{kind}[{copies.step}]", split, rise[kind])
                for copies, rise in zip(parted, found, strict=True)
            ]
            y[kind] = [value.value for value in each]
            values += [v.model_copy(update={"detail": kind not in SHOWN}) for v in each]
        curves.append(Curve(name="instability", split=split, x=steps, y=y, axis="step"))
        values += _onset(steps, y[HEADLINE], split, settings, probe)
    apart, curve = _apart(parted, probe)
    return Reading(
        values=(*values, *apart),
        curves=(*curves, curve),
        protocol={
            "steps": [copies.step for copies in parted],
            "copies": [len(copies.runs) for copies in parted],
            "noise": "the run's own up to the step; then order, dropout and augmentation of each "
            "copy's own, the run being the first copy",
            "optimizer_and_schedule": "go on",
            "points": settings.points,
            "stable": settings.stable,
            "examples": {split: probe.examples(split) for split in probe.splits},
            "same_examples_at_all_points": True,
            "reduction": "mean over examples, then over pairs of copies",
            "mode": "eval",
            "batch_norm": policy(probe, settings.recalibrate),
            "parameters": "all",
        },
    )


def _lines(
    copies: Copies, alphas: list[float], settings: InstabilitySettings, probe: Probe
) -> list[list[Weights]]:
    ends = [(probe.weights(first), probe.weights(second)) for first, second in copies.pairs]
    return [ready(probe.line(*pair, alphas), probe, settings.recalibrate) for pair in ends]


def _onset(
    steps: Sequence[float],
    heights: Sequence[float],
    split: str,
    settings: InstabilitySettings,
    probe: Probe,
) -> list[Value]:
    """The first stable step that was looked at; the last step of all, where copies never parted."""
    whole = probe.training().steps
    known = any(height == height for height in heights)  # all NaN: the run itself has diverged
    stable = (step for step, h in zip(steps, heights, strict=True) if h < settings.stable)
    onset = next(stable, float(whole)) if known else float("nan")
    share = onset / whole if whole else 0.0
    return [
        Value(name="onset", split=split, value=onset),
        Value(name="onset-share", split=split, value=share, detail=True),
    ]


def _apart(parted: Sequence[Copies], probe: Probe) -> tuple[list[Value], Curve]:
    """Distances between the copies' weights, also in units of the way that they came."""
    values: list[Value] = []
    y: dict[str, list[float]] = {"l2": [], "l2-travelled": []}
    for copies in parted:
        l2, way = distances(copies, probe)
        y["l2"].append(l2)
        y["l2-travelled"].append(l2 / way if way else float("nan"))
        values.append(Value(name=f"l2[{copies.step}]", value=l2, detail=True))
        if way == way:  # the start is known
            name = f"l2-travelled[{copies.step}]"
            values.append(Value(name=name, value=y["l2-travelled"][-1]))
    steps = [float(copies.step) for copies in parted]
    return values, Curve(name="distance", split=None, x=steps, y=y, axis="step")


INSTABILITY = Metric(
    name="instability",
    about="From which step on a run's end lies in one basin, whatever noise follows.",
    source=PAPER,
    settings=InstabilitySettings,
    measure=measure,
    branches=branches,
    of="point",
    access="ood-labels",
    direction="larger: after step k the noise still decides which basin the run ends in; its "
    "relation to OOD scores depends",
    formula="Copies share a run's first k of T steps, then draw order, dropout and augmentation of "
    "their own; w_i are their ends. frankle-error[k]: mean over pairs of "
    "max_a E((1-a) w_i + a w_j) - (E(w_i) + E(w_j)) / 2; lerp-error, frankle-loss, lerp-loss as in "
    "`barrier`. onset: the first k looked at with frankle-error[k] < `stable`, T if there is none. "
    "l2-travelled[k]: rms over pairs of ||w_i - w_j|| / rms over copies of ||w_i - w_start||. "
    "Barriers per split, >= 0, and 0 at k = T.",
    invariances="exchange of copies. Not under permutation or rescaling of units, in which copies "
    "that parted early may have come to differ.",
    cost="(copies - 1) trainings of T steps per k and run, trained by the plan; then (points - 2) "
    "forward passes per k, pair and split; with batch norm also `points` passes over the training "
    "split per k and pair. The cost of a reading does not hold the trainings.",
    oracle="0 at k = T, trained anew; 0 for all k on a strongly convex loss; closed forms of "
    "`barrier` along the line; distances by hand.",
)
