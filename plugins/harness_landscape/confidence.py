"""`confidence`: how sure a run is, and the accuracy that this predicts without OOD labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.example_mean import example_mean
from harness_landscape.merged_classes import merged_logits

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Probe


class ConfidenceSettings(Settings):
    """On how many examples."""

    examples: int | None = setting(
        None, "examples of each split; null: all of them", source="Garg et al. 2022", ge=1
    )


@dataclass(frozen=True)
class Sureness:
    """Per example of a split [n]: largest probability, entropy in nats, and the margin."""

    confidence: Tensor
    entropy: Tensor
    margin: Tensor

    @staticmethod
    def of(logits: Tensor) -> Sureness:
        """From logits [n, c]."""
        import torch

        logs = logits.double().log_softmax(1)
        probabilities = logs.exp()
        padded = torch.nn.functional.pad(probabilities, (0, 1))  # where there is but one class
        first, second = padded.topk(2, dim=1).values.unbind(1)
        return Sureness(
            first, -torch.special.xlogy(probabilities, probabilities).sum(1), first - second
        )


@dataclass(frozen=True)
class Source:
    """The in-domain split that predictions start from: its examples, and which were right [m]."""

    split: str
    sureness: Sureness
    right: Tensor


def measure(settings: ConfidenceSettings, probe: Probe) -> Reading:
    """Mean confidence on every split; accuracies that it predicts on all but the source split."""
    weights = [probe.weights()]
    named = [split for split in probe.splits if probe.kind(split) != "ood"]
    source: Source | None = None
    values: list[Value] = []
    sizes: dict[str, int] = {}
    for split in [*named[:1], *(split for split in probe.splits if split not in named[:1])]:
        logits = probe.logits(weights, split, examples=settings.examples)[0]
        sureness = Sureness.of(merged_logits(logits.double(), probe.merged(split)))
        sizes[split] = len(logits)
        values += [
            example_mean("mean-confidence", split, sureness.confidence),
            example_mean("mean-entropy", split, sureness.entropy),
            example_mean("mean-margin", split, sureness.margin),
        ]
        if source is not None:
            values += predictions(source, sureness, split)
        elif named:
            right = logits.argmax(1) == probe.targets(split, examples=settings.examples)
            source = Source(split, sureness, right.double())
    return Reading(
        values=tuple(values),
        protocol={
            "source": source.split if source else None,
            "examples": dict(sizes),
            "temperature": 1.0,
            "mode": "eval",
            "batch_norm": "the run's statistics, fixed" if probe.batch_norm else "none",
        },
    )


def predictions(source: Source, target: Sureness, split: str) -> list[Value]:
    """Accuracies that ATC and DoC predict for a split whose labels nobody looks at."""
    own = source.sureness
    found = []
    for name, before, after in (
        ("atc-confidence", own.confidence, target.confidence),
        ("atc-entropy", -own.entropy, -target.entropy),
    ):
        above = (after >= threshold(before, source.right)).double()
        known = bool(before.isfinite().all()) and bool(after.isfinite().all())
        found.append(example_mean(name, split, above if known else above * math.nan))
    drop = (
        example_mean("", split, source.right - own.confidence),
        example_mean("", split, target.confidence),
    )
    value = drop[0].value + drop[1].value
    errors = [each.standard_error for each in drop]
    spread = math.hypot(*(e for e in errors if e is not None)) if None not in errors else None
    found.append(Value(name="doc", split=split, value=value, standard_error=spread))
    return found


def threshold(scores: Tensor, right: Tensor) -> float:
    """The score below which as many examples lie as were wrong.

    >>> import torch
    >>> threshold(torch.tensor([4.0, 1.0, 3.0, 2.0]), torch.tensor([1.0, 0.0, 1.0, 1.0]))
    2.0
    """
    wrong = int((1 - right).sum())
    return float(scores.sort().values[wrong].item()) if wrong < len(scores) else math.inf


CONFIDENCE = Metric(
    name="confidence",
    about="How sure a run is on each split, and the accuracy that this predicts without labels.",
    source="Guillory et al. 2021, arXiv 2107.03315 (DoC); Garg et al. 2022, arXiv 2201.04234 (ATC)",
    settings=ConfidenceSettings,
    measure=measure,
    of="point",
    access="ood-inputs",
    baseline="confidence",
    direction="atc and doc: larger predicts a higher accuracy on that split; the means depend",
    formula="p the softmax, summed where the split merges classes; mean-confidence = mean of max "
    "p, mean-entropy of -sum p log p, "
    "mean-margin of the largest less the second p; atc-SCORE = share of the split's examples with "
    "score >= t, where as large a share of the source split lies below t as is wrong there; doc = "
    "accuracy on the source - (its mean confidence - the split's). Source: the first in-domain "
    "split.",
    invariances="whatever leaves the logits alone; atc-confidence and atc-entropy also monotone "
    "changes of the score.",
    cost="one forward pass per split.",
    oracle="two, four and ten examples by hand, labels drawn from the softmax (doc is right on "
    "average), the source predicting itself.",
    tasks=("classification",),
)
