"""`id-score`: in-domain accuracy and loss, the baseline that every predictor has to beat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.example_mean import example_mean

if TYPE_CHECKING:
    from harness.api.contexts import Probe


class IdScoreSettings(Settings):
    """On how many examples."""

    examples: int | None = setting(
        None,
        "examples of each split; null: all of them",
        source="a choice: as the scores of a suite",
        ge=1,
    )


def measure(settings: IdScoreSettings, probe: Probe) -> Reading:
    """Accuracy and mean loss of the run on every in-domain split."""
    splits = [split for split in probe.splits if probe.kind(split) != "ood"]
    if not splits:
        raise HarnessError(
            "id-score has no in-domain split to read", fix="name one under its `splits`"
        )
    weights = [probe.weights()]
    values: list[Value] = []
    sizes: dict[str, int] = {}
    for split in splits:
        found = probe.evaluate(weights, split, each=True, examples=settings.examples)
        if found.example_errors is None or found.example_losses is None:  # they were asked for
            raise TypeError("the probe gave no values per example")
        sizes[split] = found.examples
        diverged = not bool(found.loss.isfinite().all())
        right = 1 - found.example_errors[0]
        values.append(example_mean("accuracy", split, right * math.nan if diverged else right))
        values.append(example_mean("loss", split, found.example_losses[0]))
    return Reading(
        values=tuple(values),
        protocol={
            "examples": dict(sizes),
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": "the run's statistics, fixed" if probe.batch_norm else "none",
        },
    )


ID_SCORE = Metric(
    name="id-score",
    about="In-domain accuracy and loss: the baseline that every predictor has to beat.",
    source="Miller et al. 2021, arXiv 2107.04649 (accuracy on the line)",
    settings=IdScoreSettings,
    measure=measure,
    of="point",
    access="id",
    baseline="score",
    direction="larger accuracy, smaller loss: better in-domain; its relation to OOD scores depends",
    formula="accuracy = share of examples whose largest logit is the target's; loss = mean cross "
    "entropy; per in-domain split, with the standard error of a mean over examples.",
    invariances="whatever leaves the function alone; accuracy also the scale of the logits.",
    cost="one forward pass per in-domain split, shared with other metrics of the run.",
    oracle="logits given by hand, the binomial standard error.",
)
