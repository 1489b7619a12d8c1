"""Brier score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.offers import Score
from harness.api.settings import NoSettings
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "Brier score: mean squared distance of probabilities from the truth, summed over classes"


def compute(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """The mean over examples of sum_k (p_k - y_k)^2, 0..2 (Brier 1950).

    For two classes this is twice the form that looks at one class only.
    """
    return float(each(_settings, predictions, references).mean())


def each(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> Array:
    """The squared distance of each row of probabilities from the truth, [n]."""
    import numpy as np

    given, true = arrays.probabilities(predictions, references)
    of_truth = given[np.arange(len(true)), true]
    squares: Array = np.einsum("nk,nk->n", given, given) - of_truth**2 + (1 - of_truth) ** 2
    return squares


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("brier", compute, settings, about=ABOUT, needs="probabilities")


BRIER = Score(
    name="brier",
    about=ABOUT,
    source="https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    module=module,
    compute=compute,
    each=each,
    higher_is_better=False,
    bounds=(0, 2),
    needs="probabilities",
)
