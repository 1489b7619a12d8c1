"""`rewind`: what a run loses where one module goes back to an earlier state, or to a random one."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Curve, Grid, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.around import in_lots, lot_size
from harness_landscape.example_mean import example_mean
from harness_landscape.single_modules import MODULES, largest, modules_of
from harness_landscape.straight_line import (
    RECALIBRATE,
    RECALIBRATE_SOURCE,
    Recalibrate,
    policy,
    ready,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torch import Tensor

    from harness.api.contexts import Probe, Weights

ZHANG = "Zhang et al. 2019, arXiv 1902.01996"
QUANTITIES = ("loss", "error")
Found = dict[tuple[str, str, str], list[Value]]  # rises of all modules by split, quantity, point
AFRESH = "fresh-"


class RewindSettings(Settings):
    """Which modules go back, and to what."""

    points: tuple[str, ...] = setting(
        (),
        "points that modules go back to, by name (init, checkpoint-100); none: where the run "
        "started, and every checkpoint that was kept",
        source=ZHANG,
    )
    fresh: int = setting(
        1,
        "so many random states beside, drawn as a random start of the network; 0: none",
        source=f"re-randomisation in {ZHANG}",
        ge=0,
        le=100,
    )
    modules: tuple[str, ...] = setting((), MODULES, source=f"single layers: {ZHANG}")
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def measure(settings: RewindSettings, probe: Probe) -> Reading:
    """Rise of loss and error for every module and point on every split, and the largest."""
    modules = modules_of(settings.modules, probe)
    points = _points(settings, probe)
    found: Found = {}
    for point in points:
        for split, rises in _rises(point, modules, probe, settings.recalibrate).items():
            for quantity, each in zip(QUANTITIES, rises, strict=True):
                found[split, quantity, point] = [
                    _detail(f"{quantity}-{point}[{module}]", split, rise)
                    for module, rise in zip(modules, each, strict=True)
                ]
    tops = [largest(values, f"{q}-{point}-max") for (_, q, point), values in found.items()]
    return Reading(
        values=(*tops, *(value for values in found.values() for value in values)),
        curves=tuple(_curve(found, split, points, modules) for split in probe.splits),
        grids=tuple(_grid(found, split, points, modules) for split in probe.splits),
        protocol={
            "points": list(points),
            "start": "pretrained" if "pretrained" in probe.points() else "random initialisation",
            "modules": list(modules),
            "rest": "that of the run",
            "examples": {split: probe.examples(split) for split in probe.splits},
            "same_examples_at_all_points": True,
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": _policy(probe, settings.recalibrate),
        },
    )


def _points(settings: RewindSettings, probe: Probe) -> tuple[str, ...]:
    known = probe.points()
    fresh = tuple(f"{AFRESH}{number}" for number in range(1, settings.fresh + 1))
    wanted = settings.points or tuple(
        name
        for name in known
        if name not in ("pretrained", "final") and not name.startswith(AFRESH)  # one start only
    )
    unknown = [name for name in wanted if name not in known]
    if unknown or not (*wanted, *fresh):
        what = f"no point {unknown[0]!r}" if unknown else "no earlier point"
        raise HarnessError(f"the run has {what} to rewind to", fix=f"there are: {', '.join(known)}")
    return (*wanted, *fresh)


def _rises(
    point: str, modules: dict[str, list[str]], probe: Probe, recalibrate: Recalibrate
) -> dict[str, tuple[list[Tensor], list[Tensor]]]:
    """By split, what loss and error of every example [n] rise by, module by module."""
    final, earlier = probe.weights(), probe.weights(point=point)
    found: dict[str, tuple[list[Tensor], list[Tensor]]] = {
        split: ([], []) for split in probe.splits
    }
    here = {split: _own(final, split, probe, recalibrate) for split in probe.splits}
    lots = in_lots(_rewound(final, earlier, modules), lot_size(len(probe.parameters(final))))
    for lot in lots:
        made = ready(lot, probe, recalibrate)
        for split, rises in found.items():
            there = _each(made, split, probe, "never")  # they are ready
            for rise, before, after in zip(rises, here[split], there, strict=True):
                rise.extend(after - before)
    return found


def _rewound(final: Weights, earlier: Weights, modules: dict[str, list[str]]) -> Iterator[Weights]:
    for names in modules.values():
        yield {**final, **{name: earlier[name] for name in names}}


def _own(
    final: Weights, split: str, probe: Probe, recalibrate: Recalibrate
) -> tuple[Tensor, Tensor]:
    """Losses and errors [1, examples] of the run itself; one that diverged has no errors."""
    losses, errors = _each([final], split, probe, recalibrate)
    return losses, errors if bool(losses.isfinite().all()) else errors * nan


def _each(
    points: Sequence[Weights], split: str, probe: Probe, recalibrate: Recalibrate
) -> tuple[Tensor, Tensor]:
    """Losses and errors [points, examples]."""
    found = probe.evaluate(ready(points, probe, recalibrate), split, each=True)
    if found.example_losses is None or found.example_errors is None:  # they were asked for
        raise TypeError("the probe gave no values per example")
    return found.example_losses, found.example_errors


def _detail(name: str, split: str, each: Tensor) -> Value:
    return example_mean(name, split, each).model_copy(update={"detail": True})


def _curve(found: Found, split: str, points: Sequence[str], modules: Iterable[str]) -> Curve:
    y = {
        f"{quantity}-{point}": [value.value for value in found[split, quantity, point]]
        for quantity in QUANTITIES
        for point in points
    }
    labels = list(modules)
    places = [float(place) for place in range(len(labels))]
    return Curve(name="modules", split=split, x=places, y=y, axis="module", labels=labels)


def _grid(found: Found, split: str, points: Sequence[str], modules: Iterable[str]) -> Grid:
    """Rows are modules, columns points."""
    labels = list(modules)
    rows = range(len(labels))
    z = {
        q: [[found[split, q, point][row].value for point in points] for row in rows]
        for q in QUANTITIES
    }
    return Grid(
        name="modules and points",
        split=split,
        x=[float(place) for place in range(len(points))],
        y=[float(row) for row in rows],
        z=z,
        axes=("point", "module"),
        labels={"x": list(points), "y": labels},
    )


def _policy(probe: Probe, recalibrate: Recalibrate) -> str:
    if probe.batch_norm and recalibrate == "never":
        return "the run's statistics, fixed"
    return policy(probe, recalibrate)


REWIND = Metric(
    name="rewind",
    about="What a run loses where one module goes back to its start, a checkpoint or randomness.",
    source=f"{ZHANG}; Chatterji et al. 2020, arXiv 1912.00528",
    settings=RewindSettings,
    measure=measure,
    of="point",
    access="ood-labels",
    direction="larger: the module has learned more of what the rest needs (it is critical); its "
    "relation to OOD scores depends",
    formula="w_m,p: module m has the parameters that it had at point p, all else is the run's. "
    "error-p[m] = E(w_m,p) - E(w), loss-p[m]: L for E; p is init (where the run started), "
    "checkpoint-STEP, or fresh-NUMBER (drawn as a random start). KIND-p-max: over modules.",
    invariances="permutation of units, where the start is permuted along; fresh states in "
    "distribution. Not under rescaling of units.",
    cost="1 forward pass per module, point and split, and 1 per run and split; with batch norm a "
    "pass over the training split per module and point, and 1 per run.",
    oracle="a module that is as it was (0), one module (the score of the start itself), direct "
    "evaluation of exchanged modules, a sum of one function per module.",
)
