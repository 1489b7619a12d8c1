"""`lr-sensitivity`: what a learning rate off the best one costs, over a sweep of learning rates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Probe

WORTSMAN = "Wortsman et al. 2023, arXiv 2309.14322"


class LrSensitivitySettings(Settings):
    """Which range of learning rates."""

    low: float | None = setting(
        None, "the least learning rate counted; null: the least swept", source=WORTSMAN, gt=0
    )
    high: float | None = setting(
        None, "the greatest learning rate counted; null: the greatest swept", source=WORTSMAN, gt=0
    )


@dataclass(frozen=True)
class Sweep:
    """Losses per example of one split: [k, n] over learning rates (rising), [n] at the start."""

    rates: list[float]
    losses: Tensor
    start: Tensor


def measure(settings: LrSensitivitySettings, probe: Probe) -> Reading:
    """The sensitivity and what it is made of on every split, and loss over learning rate."""
    runs = _counted(settings, probe)
    rates = [probe.subject.varied[run] for run in runs]
    first = _start(probe)
    values: list[Value] = []
    curves: list[Curve] = []
    for split in probe.splits:
        losses = _losses(probe, [(run, "final") for run in runs], split)
        sweep = Sweep(rates, losses, _losses(probe, [(0, first)], split)[0])
        values += _values(sweep, split)
        y = {"loss": losses.mean(1).tolist(), "counted": _counted_losses(sweep)[0].tolist()}
        curves.append(Curve(name="loss", split=split, x=rates, y=y, axis="lr"))
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol={
            "lr": rates,
            "range": [rates[0], rates[-1]],
            "integration": "trapezoid rule in log lr, divided by the length of the range",
            "loss_at_start": f"of the first run at {first!r}: all runs start there",
            "diverged": "counts as the loss at the start",
            "examples": {split: probe.examples(split) for split in probe.splits},
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": "each run's own statistics" if probe.batch_norm else "none",
            "parameters": "all",
        },
    )


def weights_of(rates: list[float]) -> list[float]:
    """What each learning rate counts in a mean over the logarithm of the rate; they sum to 1.

    >>> weights_of([0.01, 0.1, 1.0])
    [0.25, 0.5, 0.25]
    """
    logs = [math.log10(rate) for rate in rates]
    steps = [b - a for a, b in pairwise(logs)]
    halves = zip([0.0, *steps], [*steps, 0.0], strict=True)
    return [(before + after) / 2 / (logs[-1] - logs[0]) for before, after in halves]


def _counted(settings: LrSensitivitySettings, probe: Probe) -> list[int]:
    low, high = settings.low or 0.0, settings.high or math.inf
    runs = [run for run, rate in enumerate(probe.subject.varied) if low <= rate <= high]
    if len(runs) < 2:
        swept = ", ".join(f"{rate:g}" for rate in probe.subject.varied)
        raise HarnessError(
            f"{len(runs)} of the learning rates {swept or '(none)'} lie in the range to count",
            fix="sweep two or more, or set low and high further apart",
        )
    return runs


def _start(probe: Probe) -> str:
    for name in ("pretrained", "init"):
        if name in probe.points(0):
            return name
    raise HarnessError(
        "it is not known where the runs started",
        fix="let their method keep step 0: `checkpoints: [0]`",
    )


def _losses(probe: Probe, points: list[tuple[int, str]], split: str) -> Tensor:
    """Losses per example [k, n], point by point: all weights at once may not fit."""
    import torch

    rows = []
    for run, point in points:
        found = probe.evaluate([probe.weights(run, point)], split, each=True).example_losses
        if found is None:  # it was asked for
            raise TypeError("the probe gave no values per example")
        rows.append(found[0])
    return torch.stack(rows)


def _counted_losses(sweep: Sweep) -> tuple[Tensor, Tensor]:
    """Mean losses [k] as they count, min(l, l0), and the same per example [k, n]."""
    import torch

    means = sweep.losses.mean(1)
    kept = means < sweep.start.mean()  # false for NaN: a run that diverged
    each = torch.where(kept[:, None], sweep.losses, sweep.start)
    return each.mean(1), each


def _values(sweep: Sweep, split: str) -> list[Value]:
    import torch

    means, each = _counted_losses(sweep)
    best = int(means.argmin())
    weights = torch.tensor(weights_of(sweep.rates), dtype=each.dtype)
    excess = weights @ each - each[best]  # per example
    spread = None
    if len(excess) > 1 and bool(torch.isfinite(excess).all()):
        spread = float(excess.std()) / len(excess) ** 0.5
    own = sweep.losses.mean(1)
    gone = ~(own < sweep.start.mean())
    numbers = {
        "best-lr": sweep.rates[best],
        "best-loss": float(means[best]),
        "start-loss": float(sweep.start.mean()),
        "no-better-than-start": float(gone.double().mean()),
    }
    details = [Value(name=n, split=split, value=v, detail=True) for n, v in numbers.items()]
    main = Value(name="sensitivity", split=split, value=float(excess.mean()), standard_error=spread)
    return [main, *details]


LR_SENSITIVITY = Metric(
    name="lr-sensitivity",
    about="How much loss a learning rate off the best one costs, over a sweep of learning rates.",
    source=WORTSMAN,
    settings=LrSensitivitySettings,
    measure=measure,
    of="group",
    across="lr",
    access="id",
    direction="larger: the choice of the learning rate matters more; its relation to OOD scores "
    "depends",
    formula="sensitivity = mean over log lr in [a, b] of min(l(lr), l0), less min over the swept "
    "lr: l the loss after training, l0 the loss at the start, which also stands for runs that "
    "diverged. Trapezoid rule in log lr over the swept rates, divided by log(b / a). Per "
    "in-domain split, one reading per seeds. The standard error is that of the mean over "
    "examples, with the choice of the best rate taken as given.",
    invariances="any change of the network's weights that leaves its outputs the same; the unit "
    "of the learning rate.",
    cost="one forward pass per run and split, one more at the start; it needs a training per "
    "learning rate and seeds.",
    oracle="gradient descent on a quadratic: l(lr) = l0 (1 - lr c)^(2 t), so the sensitivity in "
    "closed form, with all of lr > 2 / c at l0.",
    wants=lambda settings: ("start",),
)
