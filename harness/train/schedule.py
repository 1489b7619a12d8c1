"""The learning rate over a phase, as a multiple of the optimizer's own."""

import math

from harness.api.recipes import Schedule


def multiplier(schedule: Schedule, step: int, steps: int) -> float:
    """The multiple for a step (0 is the first) of a phase of `steps`.

    Warm-up: (step + 1) / warmup. Then, with p = (step - warmup) / (steps - warmup) and f = `final`:
    constant 1; linear 1 - (1 - f) p; cosine f + (1 - f) (1 + cos(pi p)) / 2
    (Loshchilov & Hutter 2017, without restarts).

    >>> [multiplier(Schedule("linear", warmup=2), step, 6) for step in range(6)]
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    warmup = min(schedule.warmup, steps)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / (steps - warmup)
    if schedule.shape == "linear":
        return 1.0 - (1.0 - schedule.final) * done
    if schedule.shape == "cosine":
        return schedule.final + (1.0 - schedule.final) * (1.0 + math.cos(math.pi * done)) / 2.0
    return 1.0
