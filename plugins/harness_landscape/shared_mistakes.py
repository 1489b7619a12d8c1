"""`shared-mistakes`: how far two runs err on the same examples, and in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import NoSettings
from harness_landscape.agreement import Mean, answers, kappa, mean, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from harness.api.contexts import Probe, Weights


def measure(settings: NoSettings, probe: Probe) -> Reading:
    """Overlap of the two runs' mistakes on every split."""
    values: list[Value] = []
    sizes: dict[str, int] = {}
    runs = [probe.weights(0), probe.weights(1)]
    for split in probe.splits:
        chosen = answers(runs, split, probe)
        found = overlaps(chosen, mistakes(runs, split, probe))
        values += [number.named(name, split) for name, number in found.items()]
        sizes[split] = len(chosen[0])
    return Reading(
        values=tuple(values),
        protocol={
            "examples": dict(sizes),
            "quantity": "error",
            "mode": "eval",
            "batch_norm": "statistics of the runs" if probe.batch_norm else "none in the network",
        },
    )


def mistakes(runs: Sequence[Weights], split: str, probe: Probe) -> tuple[Tensor, Tensor]:
    """Where the two runs err [n], on merged classes too."""
    errors = probe.judged(probe.logits(runs, split), split).example_errors
    if errors is None:  # `judged` always has them
        raise TypeError("the probe gave no values per example")
    return errors[0] > 0, errors[1] > 0


def overlaps(answers: tuple[Tensor, Tensor], wrongs: tuple[Tensor, Tensor]) -> dict[str, Mean]:
    """Every value of the card, from answers and mistakes [n]; NaN where nobody errs."""
    (first, second), (wrong, also) = answers, wrongs
    both, either = (wrong & also).double(), (wrong | also).double()
    same = (wrong & also & (first == second)).double()
    return {
        "error-kappa": kappa(wrong.long(), also.long()),
        "jaccard": ratio(both, either),
        "conditional": ratio(both, (wrong.double() + also.double()) / 2),
        "same-wrong-label": ratio(same, both),
        "error-inconsistency": mean((wrong != also).double()),
    }


SHARED_MISTAKES = Metric(
    name="shared-mistakes",
    about="How far two runs err on the same examples, and in the same way.",
    source="error-kappa: Geirhos et al. 2020, arXiv 2006.16736; error-inconsistency: "
    "Gontijo-Lopes et al. 2022, arXiv 2110.12899; jaccard: Neyshabur et al. 2020, arXiv 2008.11687",
    measure=measure,
    of="pair",
    access="ood-labels",
    direction="larger (error-inconsistency: smaller): the two runs err more alike; its relation to "
    "OOD scores depends",
    formula="F, G: the runs' mistakes. jaccard = P(F and G) / P(F or G); conditional = P(F and G) "
    "/ ((P(F) + P(G)) / 2); same-wrong-label = P(f = g | F and G); error-inconsistency = P(F xor "
    "G); error-kappa = (A - C) / (1 - C), A = 1 - P(F xor G), C = P(F) P(G) + (1 - P(F)) (1 - "
    "P(G)); 1 - error-kappa is the inconsistency in units of what independent mistakes have. f, g: "
    "the answers, where classes of a split are merged those of the network. Per split.",
    invariances="exchange of the two runs, anything that leaves the functions' answers alone: "
    "permutation and rescaling of units, temperature.",
    cost="one forward pass per run and split, shared with `agreement`.",
    oracle="a table of answers counted by hand, scikit-learn's Jaccard, Dice and kappa, 0 for "
    "independent mistakes, a permuted copy.",
    tasks=("classification",),
)
