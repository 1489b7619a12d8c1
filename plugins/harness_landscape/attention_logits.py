"""`attention-logits`: how large the logits of a run's attention have grown."""

from __future__ import annotations

from math import isfinite, isnan, nan
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness_landscape.loss_settings import LossSettings

if TYPE_CHECKING:
    from harness.api.probes import Probe


class AttentionLogitsSettings(LossSettings):
    """On which examples."""


def measure(settings: AttentionLogitsSettings, probe: Probe) -> Reading:
    """Largest and mean logit of every block; the largest of the first block and of all of them."""
    split = settings.split
    found = probe.attention_logits(probe.weights(), split, examples=settings.examples)
    largest = [float(block.largest.max()) for block in found.values()]
    values = [
        Value(name="max-logit", split=split, value=_max(largest)),
        Value(name="max-logit-first", split=split, value=largest[0]),
    ]
    means = []
    for name, top, block in zip(found, largest, found.values(), strict=True):
        mean = float(block.mean.mean())
        spread = float(block.mean.std()) / len(block.mean) ** 0.5 if len(block.mean) > 1 else nan
        error = spread if isfinite(spread) else None
        means.append(mean)
        values.append(Value(name=f"max-logit[{name}]", split=split, value=top, detail=True))
        values.append(
            Value(
                name=f"mean-logit[{name}]",
                split=split,
                value=mean,
                standard_error=error,
                detail=True,
            )
        )
    total = probe.examples(split)
    curve = Curve(
        name="blocks",
        split=split,
        x=[float(place) for place in range(len(found))],
        y={"max": largest, "mean": means},
        axis="block",
        labels=list(found),
    )
    return Reading(
        values=tuple(values),
        curves=(curve,),
        protocol={
            "blocks": list(found),
            "split": split,
            "examples": total if settings.examples is None else min(settings.examples, total),
            "mode": "eval",
            "positions": "padding left out where the module is given an `attention_mask`; of a "
            "causal block no position after the one that looks",
            "reduction": "largest of examples, heads and pairs; mean of pairs, then of examples",
        },
    )


def _max(numbers: list[float]) -> float:
    """The largest; no number where one of them is none."""
    return nan if any(map(isnan, numbers)) else max(numbers)


ATTENTION_LOGITS = Metric(
    name="attention-logits",
    about="The largest attention logits of a run, for models that expose their attention.",
    source="Dehghani et al. 2023, arXiv 2302.05442; as a sign of instability: Wortsman et al. "
    "2023, arXiv 2309.14322",
    settings=AttentionLogitsSettings,
    measure=measure,
    of="point",
    access="id",
    direction="larger: closer to one-hot attention and to divergence; relation to OOD: depends",
    formula="z_ij = <q_i, k_j> / sqrt(d) of every head, d the size of a head (or the block's own "
    "scale), before masks and the softmax; max-logit[block] the largest over examples, heads and "
    "pairs of positions that may look at each other, max-logit the largest of all blocks, "
    "max-logit-first that of the first block; mean-logit[block] the mean over an example's pairs "
    "and heads, then over examples, with the standard error of that mean. Not seen: what a model "
    "adds to the logits or does to queries and keys after the modules that it names (rotary "
    "positions, relative biases).",
    invariances="permutation of heads; an invertible map of the queries with its inverse on the "
    "keys. Not a softmax's own: a constant added to a row of logits.",
    cost="1 forward, and the products of queries and keys.",
    oracle="the logits that a small attention module gives its softmax; a Hugging Face encoder's "
    "own queries, keys and attention.",
    wants=lambda settings: ("attention",),
)
