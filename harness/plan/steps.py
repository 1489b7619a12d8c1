"""How long a recipe trains: optimizer steps per phase, as planned and as the engine runs them."""

import math

from harness.api.cells import Limit
from harness.api.recipes import Recipe


def phase_steps(
    recipe: Recipe, examples: int | None, batch: int, limit: Limit | None = None
) -> tuple[int, ...] | None:
    """Optimizer steps of each phase, or None where epochs meet a training split of unknown size.

    An epoch is every example once: its last batch may be smaller, and a part of an epoch is
    rounded up to whole steps. A limit cuts the examples first, and then every phase to its share
    of the steps (at least one), so that a trial run goes through all phases.
    """
    if examples is not None and limit is not None and limit.examples is not None:
        examples = min(examples, limit.examples)
    steps: list[int] = []
    for phase in recipe.phases:
        if phase.steps is not None:
            steps.append(phase.steps)
        elif phase.epochs is None:
            steps.append(0)
        elif examples is None:
            return None
        else:
            per_epoch = math.ceil(examples / (phase.batch or batch))
            steps.append(math.ceil(phase.epochs * per_epoch))
    if limit is not None and limit.steps is not None:
        share = max(1, limit.steps // max(1, len(steps)))
        steps = [min(count, share) for count in steps]
    return tuple(steps)
