"""Events in time, and warnings before them: how many were foretold, and how many by chance."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 10  # losses that a standard deviation is taken of


@dataclass(frozen=True)
class Foretold:
    """How often warnings and events went together; NaN where there are none of a kind."""

    recall: float
    precision: float
    chance: float
    chance_precision: float
    warnings: int
    events: int


def foretold(warnings: list[int], events: list[int], first: int, last: int, lag: int) -> Foretold:
    """Compare warnings with the events 1..lag steps after them, in the steps first..last.

    >>> foretold([10], [12, 40], first=1, last=50, lag=8)
    Foretold(recall=0.5, precision=1.0, chance=0.16, chance_precision=0.32, warnings=1, events=2)
    """
    steps = range(first, last + 1)
    after = {step for w in warnings for step in range(w + 1, w + lag + 1) if step in steps}
    before = {step for e in events for step in range(e - lag, e) if step in steps}
    return Foretold(
        recall=_share(sum(event in after for event in events), len(events)),
        precision=_share(sum(warning in before for warning in warnings), len(warnings)),
        chance=_share(len(after), len(steps)),
        chance_precision=_share(len(before), len(steps)),
        warnings=len(warnings),
        events=len(events),
    )


def rises(spikes: Tensor, first: int, merge: int) -> list[int]:
    """Steps (1 is the first) from `first` on that are spikes, those close to a former one left out.

    >>> import torch
    >>> rises(torch.tensor([True, False, True, True, False, True]), first=2, merge=1)
    [3, 6]
    """
    found: list[int] = []
    latest = None
    for place in spikes.nonzero().flatten().tolist():
        step = place + 1
        if step < first:
            continue
        if latest is None or step - latest > merge:
            found.append(step)
        latest = step
    return found


def loss_spikes(losses: Tensor, deviations: float, window: int) -> Tensor:
    """Which losses [T] lie so many standard deviations above the mean of those before them.

    Mean and standard deviation (ddof 1) are of up to `window` losses before a step, not of its own;
    with fewer than 10 of them nothing is a spike, nor where they are all the same.
    """
    import torch

    spikes = torch.zeros(len(losses), dtype=torch.bool)
    for place in range(LEAST, min(window, len(losses))):
        before = losses[:place]
        spikes[place] = _above(losses[place], before.mean(), before.std(), deviations)
    if len(losses) > window:
        before = losses[:-1].unfold(0, window, 1)  # [T - window, window], a view
        rest = losses[window:]
        spikes[window:] = _above(rest, before.mean(1), before.std(1), deviations)
    return spikes


def _above(losses: Tensor, mean: Tensor, spread: Tensor, deviations: float) -> Tensor:
    return (spread > 0) & (losses >= mean + deviations * spread)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else nan
