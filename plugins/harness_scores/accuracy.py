"""Accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.offers import Score
from harness.api.settings import NoSettings
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "share of right labels"


def compute(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """The share of examples whose predicted label is the true one, 0..1."""
    return float(each(_settings, predictions, references).mean())


def each(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> Array:
    """Whether each predicted label is the true one, [n]."""
    predicted, true = arrays.labels(predictions, references)
    right: Array = predicted == true
    return right


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("accuracy", compute, settings, about=ABOUT)


ACCURACY = Score(
    name="accuracy",
    about=ABOUT,
    module=module,
    compute=compute,
    each=each,
    higher_is_better=True,
    bounds=(0, 1),
    proportion=True,
)
