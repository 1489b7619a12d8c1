"""What metrics want of runs, held against what models have and trainings keep."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.api.data import Outline
from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.recipes import Recipe
from harness.suite.asking import asked
from harness.suite.checks import Starts
from harness.suite.uses import Context, Placed

BEFORE_THE_END = 2
"""Points that tell a run's way from two ends, together with its end."""


def check_wants(
    metrics: Sequence[Placed],
    methods: Sequence[Placed],
    starts: Starts,
    outline: Outline,
    context: Context,
) -> None:
    """Note metrics that want a start or waypoints that no run keeps, or what no network has."""
    recipes = [(method.use.label, asked(method, "recipe", context, outline)) for method in methods]
    from_file = any(init.kind == "checkpoint" for init in starts.inits)
    for placed in metrics:
        offer = context.catalogue.find("metric", placed.use.name).offer
        wants = asked(placed, "wants", context) if _wants(offer) else ()
        found = {label: _fault(wants, recipe, from_file=from_file) for label, recipe in recipes}
        faults = {label: fault for label, fault in found.items() if fault is not None}
        if faults:
            lacks, mend = next(iter(faults.values()))
            message = f"the metric {placed.use.name!r} {lacks}"
            fix = f"set `checkpoints: {mend}` in {', '.join(faults)}"
            context.problems.add(HarnessError(message, where=placed.mark, fix=fix))
        for model in starts.models:
            lacks = context.catalogue.find("model", model.use.name).offer.lacks
            for thing in (want for want in wants if want in lacks):
                message = f"the metric {placed.use.name!r} wants a model with {thing}"
                fix = f"{model.use.name!r} has none"
                context.problems.add(HarnessError(message, where=placed.mark, fix=fix))


def _wants(offer: object) -> bool:
    return isinstance(offer, Metric) and offer.wants is not None


def _fault(wants: Sequence[str], recipe: Recipe, *, from_file: bool) -> tuple[str, str] | None:
    """What is missing, and the checkpoints that would mend it."""
    kept = recipe.checkpoints
    if kept == "log":
        return None
    early = {step for step in kept if step < _length(recipe)} | (set() if from_file else {0})
    if "waypoints" in wants and len(early) < BEFORE_THE_END:
        return "wants checkpoints between a run's start and its end", "log"
    if "start" in wants and from_file and 0 not in kept:
        return "wants a run's start, which is not kept of runs that start from a file", "[0]"
    return None


def _length(recipe: Recipe) -> float:
    """Steps of a training; infinite where only its epochs are known."""
    return sum(math.inf if phase.steps is None else phase.steps for phase in recipe.phases)
