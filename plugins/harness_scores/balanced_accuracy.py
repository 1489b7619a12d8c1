"""Balanced accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.offers import Score, Terms
from harness.api.settings import NoSettings
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "mean over the true classes of the share of right labels within a class"


def compute(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """The mean recall over the classes that have examples, 0..1; chance is 1 / classes.

    A class without an example has no recall and is left out. With one true class it is that
    class's accuracy.
    """
    counts = arrays.confusion(predictions, references)
    totals = counts.sum(axis=1)
    present = totals > 0
    return float((counts.diagonal()[present] / totals[present]).mean())


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
    right, _, true = arrays.by_class(means)
    return arrays.mean_where(right, true)


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("balanced-accuracy", compute, settings, about=ABOUT)


BALANCED_ACCURACY = Score(
    name="balanced-accuracy",
    about=ABOUT,
    source="https://doi.org/10.1109/ICPR.2010.764",
    module=module,
    compute=compute,
    terms=Terms(values=terms, combine=combine),
    higher_is_better=True,
    bounds=(0, 1),
)
