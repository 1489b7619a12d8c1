"""`agreement`: how often two runs give the same answer, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import NoSettings
from harness_landscape.merged_classes import merged_answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from harness.api.contexts import Probe, Weights


@dataclass(frozen=True)
class Mean:
    """A number that is smooth in means over examples, and what each example moves it by.

    `moves` [n] are the terms of its differential at each example, times n.
    """

    value: float
    moves: Tensor

    def named(self, name: str, split: str) -> Value:
        """It as a value, with the standard error of the mean of its differential."""
        count, spread = len(self.moves), None
        if count > 1 and self.value == self.value:
            spread = float(self.moves.std()) / count**0.5
        return Value(name=name, split=split, value=self.value, standard_error=spread)


def measure(settings: NoSettings, probe: Probe) -> Reading:
    """Agreement and kappa of the two runs' answers on every split."""
    import torch

    values: list[Value] = []
    sizes: dict[str, int] = {}
    runs = [probe.weights(0), probe.weights(1)]
    for split in probe.splits:
        told = merged_answers(torch.stack(answers(runs, split, probe)), probe.merged(split))
        first, second = told
        by_chance = chance(first, second).value
        values += [
            mean((first == second).double()).named("agreement", split),
            kappa(first, second).named("kappa", split),
            Value(name="by-chance", split=split, value=by_chance, detail=True),
        ]
        sizes[split] = len(first)
    return Reading(
        values=tuple(values),
        protocol={
            "examples": dict(sizes),
            "labels": "not looked at",
            "mode": "eval",
            "batch_norm": "statistics of the runs" if probe.batch_norm else "none in the network",
        },
    )


def answers(runs: Sequence[Weights], split: str, probe: Probe) -> tuple[Tensor, Tensor]:
    """Classes [n] of the network that the two runs choose.

    Logits that are not finite choose nothing: a class that exists in neither run's answers else.
    """
    import torch

    logits = probe.logits(runs, split)
    classes = logits.shape[-1]
    nothing = torch.tensor([[classes], [classes + 1]])
    chosen = torch.where(logits.isfinite().all(-1), logits.argmax(-1), nothing)
    return chosen[0], chosen[1]


def mean(each: Tensor) -> Mean:
    """The mean over examples of something [n]."""
    return Mean(float(each.mean()), each)


def ratio(above: Tensor, below: Tensor) -> Mean:
    """The ratio of two means over examples; NaN where the lower one is 0."""
    bottom = below.mean()
    value = above.mean() / bottom
    return Mean(float(value), (above - value * below) / bottom)


def chance(first: Tensor, second: Tensor) -> Mean:
    """How often two raters with these shares of answers agree by chance."""
    import torch

    count = int(max(first.max(), second.max())) + 1
    shares = [
        torch.bincount(each, minlength=count).double() / len(each) for each in (first, second)
    ]
    return Mean(float(shares[0] @ shares[1]), shares[1][first] + shares[0][second])


def kappa(first: Tensor, second: Tensor) -> Mean:
    """Cohen's kappa of two raters' answers [n]; NaN where chance alone agrees always.

    >>> import torch
    >>> kappa(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 1, 0])).value
    0.5
    """
    agreed, expected = mean((first == second).double()), chance(first, second)
    room = 1 - expected.value
    if room <= 0:
        return Mean(float("nan"), agreed.moves)
    moves = agreed.moves / room - (1 - agreed.value) / room**2 * expected.moves
    return Mean((agreed.value - expected.value) / room, moves)


AGREEMENT = Metric(
    name="agreement",
    about="How often two runs give the same answer, right or wrong; looks at no OOD label.",
    source="Baek et al. 2022, arXiv 2206.13089; kappa: Cohen 1960, doi 10.1177/001316446002000104",
    measure=measure,
    of="pair",
    access="ood-inputs",
    direction="larger: the two functions are more alike; its relation to OOD scores depends",
    formula="agreement A = P(f = g), f and g the classes of largest logit, or the classes of the "
    "split that stand for them; by-chance C = sum over "
    "classes of P(f = c) P(g = c); kappa = (A - C) / (1 - C). Per split.",
    invariances="exchange of the two runs, anything that leaves the functions' answers alone: "
    "permutation and rescaling of units, temperature.",
    cost="one forward pass per run and split.",
    oracle="a table of answers counted by hand, Cohen's kappa of scikit-learn, 0 for independent "
    "answers, a permuted copy (1).",
    tasks=("classification",),
)
