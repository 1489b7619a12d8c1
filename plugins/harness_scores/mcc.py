"""Matthews correlation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.api.offers import Score, Terms
from harness.api.settings import NoSettings
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

CONSTANT = 1e-12  # chance that two examples differ: below it all are of one label
"""Far below 2 / n, that of one example which is unlike all others, and above rounding."""

ABOUT = "Matthews correlation of true and predicted labels, any number of classes"


def compute(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """The correlation R_K of true and predicted class indicators (Gorodkin 2004), -1..1.

    With counts c right of s, t_k true and p_k predicted of class k:
    (c s - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2)).
    Where the labels or the predictions are constant it is undefined and 0 is given: such
    predictions tell nothing of the label.
    """
    counts = arrays.confusion(predictions, references)
    true, predicted = counts.sum(axis=1), counts.sum(axis=0)
    total, right = counts.sum(), counts.trace()
    spread = float(total**2 - predicted @ predicted) * float(total**2 - true @ true)
    if spread == 0:
        return 0.0
    return float((right * total - true @ predicted) / math.sqrt(spread))


def terms(
    _settings: NoSettings,
    predictions: Array,
    references: Array,
    _groups: Array | None,
    classes: int,
) -> Array:
    """What each example adds to the counts of every class, [3 classes, n]."""
    return arrays.class_terms(predictions, references, classes)


def combine(_settings: NoSettings, means: Array) -> Array:
    """The score from means of `terms`."""
    import numpy as np

    right, predicted, true = arrays.by_class(means)
    guessed, given = (1 - (shares**2).sum(axis=-1) for shares in (predicted, true))
    defined = (guessed > CONSTANT) & (given > CONSTANT)
    spread = guessed * given
    above = right.sum(axis=-1) - (predicted * true).sum(axis=-1)
    found = np.divide(above, np.sqrt(np.where(defined, spread, 1.0)))
    return np.where(defined, found, 0.0)


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("mcc", compute, settings, about=ABOUT)


MCC = Score(
    name="mcc",
    about=ABOUT,
    source="https://doi.org/10.1016/j.compbiolchem.2004.09.006",
    module=module,
    compute=compute,
    terms=Terms(values=terms, combine=combine),
    higher_is_better=True,
    bounds=(-1, 1),
)
