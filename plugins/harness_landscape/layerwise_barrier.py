"""`layerwise-barrier`: how loss and error rise where one module at a time goes to another run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.single_modules import MODULES, largest, modules_of
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

    from harness.api.contexts import Probe, Weights

KINDS = ("lerp-loss", "lerp-error", "swap-loss", "swap-error")


class LayerwiseBarrierSettings(Settings):
    """Which modules go, and how their lines are sampled."""

    points: int = setting(
        5,
        "points on the line of a module, both ends included, evenly spaced",
        source="a choice: fewer than for `barrier`, since there is a line per module and run",
        ge=3,
        le=1001,
    )
    modules: tuple[str, ...] = setting(
        (),
        MODULES,
        source="single layers: Adilova et al. 2024, arXiv 2307.06966",
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def measure(settings: LayerwiseBarrierSettings, probe: Probe) -> Reading:
    """Barriers of every module, the rest of either run held fixed, and the largest of them."""
    modules = modules_of(settings.modules, probe)
    runs = probe.weights(0), probe.weights(1)
    alphas = evenly(settings.points)
    found: dict[tuple[str, str], list[Value]] = {
        (split, kind): [] for split in probe.splits for kind in KINDS
    }
    for module, names in modules.items():
        lines = [
            ready(line, probe, settings.recalibrate) for line in _lines(names, alphas, runs, probe)
        ]
        for split in probe.splits:
            for kind, each in _rises(lines, alphas, split, probe).items():
                found[split, kind].append(_value(f"{kind}[{module}]", split, each))
    places = [float(place) for place in range(len(modules))]
    curves = []
    for split in probe.splits:
        heights = {kind: [value.value for value in found[split, kind]] for kind in KINDS}
        curves.append(
            Curve(
                name="modules",
                split=split,
                x=places,
                y=heights,
                axis="module",
                labels=list(modules),
            )
        )
    tops = [largest(several, f"{kind}-max") for (_, kind), several in found.items()]
    return Reading(
        values=(*tops, *(value for several in found.values() for value in several)),
        curves=tuple(curves),
        protocol={
            "points": settings.points,
            "modules": list(modules),
            "rest": "that of either run; the mean of the two",
            "examples": {split: probe.examples(split) for split in probe.splits},
            "same_examples_at_all_points": True,
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": policy(probe, settings.recalibrate),
        },
    )


def _lines(
    names: list[str], alphas: list[float], runs: tuple[Weights, Weights], probe: Probe
) -> list[list[Weights]]:
    """Two lines: each run, with these parameters alone on the way to those of the other."""
    lines = []
    for here, there in (runs, runs[::-1]):
        swapped = {**here, **{name: there[name] for name in names}}
        lines.append(probe.line(here, swapped, alphas))
    return lines


def _rises(
    lines: list[list[Weights]], alphas: list[float], split: str, probe: Probe
) -> dict[str, Tensor]:
    """By kind, what is the mean of the two runs' rises, per example [n]."""
    import torch

    positions = torch.tensor(alphas, dtype=torch.float64)[:, None]
    rises: dict[str, list[Tensor]] = {kind: [] for kind in KINDS}
    seen = [probe.evaluate(line, split, each=True) for line in lines]
    starts = [found.example_losses[0] for found in seen if found.example_losses is not None]
    gone = diverged(torch.stack(starts))
    for found in seen:
        for quantity, each in (("loss", found.example_losses), ("error", found.example_errors)):
            if each is None:  # they were asked for
                raise TypeError("the probe gave no values per example")
            if gone:
                each = torch.full_like(each, torch.nan)
            above = each - torch.lerp(each[0], each[-1], positions)
            rises[f"lerp-{quantity}"].append(above[int(above.mean(1).argmax())])
            rises[f"swap-{quantity}"].append(each[-1] - each[0])
    return {kind: torch.stack(two).mean(0) for kind, two in rises.items()}


def _value(name: str, split: str, each: Tensor) -> Value:
    import torch

    mean, spread = each.mean(), None
    if len(each) > 1 and bool(torch.isfinite(mean)):
        spread = float(each.std()) / len(each) ** 0.5
    return Value(name=name, split=split, value=float(mean), standard_error=spread, detail=True)


LAYERWISE_BARRIER = Metric(
    name="layerwise-barrier",
    about="How loss and error rise where one module at a time goes to that of another run.",
    source="single layers on the way between two runs: Adilova et al. 2024, arXiv 2307.06966; "
    "swapped layers: Neyshabur et al. 2020, arXiv 2008.11687",
    settings=LayerwiseBarrierSettings,
    measure=measure,
    of="pair",
    access="ood-labels",
    direction="larger: the module's weights of one run fit the rest of the other less; its "
    "relation to OOD scores depends",
    formula="w_m(a): the parameters of module m are (1-a) those of a run + a those of the other, "
    "all else is the run's. lerp-loss[m] = max_a [L(w_m(a)) - (1-a) L(w_m(0)) - a L(w_m(1))]; "
    "swap-loss[m] = L(w_m(1)) - L(w_m(0)); both averaged over the two runs as the one that stays. "
    "lerp-error, swap-error: E for L. KIND-max: the largest over modules. All per split.",
    invariances="exchange of the two runs. Not under permutation or rescaling of units.",
    cost="2 (points - 1) forward passes per module, pair and split, and one per run and split; "
    "with batch norm 2 (points - 1) passes over the training split per module.",
    oracle="a sum of one function per module (each has the barrier of its own function), a product "
    "of two weights (convex in each, a barrier in both), a network of one module (`barrier`).",
)
