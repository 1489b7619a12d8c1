"""How long a recipe trains: optimizer steps, as planned before any data are loaded."""

from harness.api.cells import Limit
from harness.api.recipes import Recipe


def phase_steps(
    recipe: Recipe, examples: int | None, batch: int, limit: Limit | None = None
) -> tuple[int, ...] | None:
    """Optimizer steps of each phase, or None where epochs meet a training split of unknown size.

    The engine's own rule: an epoch is as many steps as it has full batches, and at least one; a
    part of an epoch is rounded to whole steps. A limit cuts the examples first; its steps are
    shared out over the phases by their length, at least one each, so that a trial run goes through
    all of them.
    """
    if examples is not None and limit is not None and limit.examples is not None:
        examples = min(examples, limit.examples)
    steps: list[int] = []
    for phase in recipe.phases:
        if phase.steps is not None:
            steps.append(phase.steps)
        elif examples is None:
            return None
        else:
            full_batches = max(1, examples // (phase.batch or batch))
            steps.append(max(1, round((phase.epochs or 0.0) * full_batches)))
    most, total = limit.steps if limit is not None else None, sum(steps)
    if most is not None and total > most:
        steps = [max(1, count * most // total) for count in steps]
    return tuple(steps)
