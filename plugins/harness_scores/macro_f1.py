"""Macro-F1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.offers import Score, Terms
from harness.api.settings import NoSettings
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "mean of the classes' F1"


def compute(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """The unweighted mean over classes of 2 TP / (2 TP + FP + FN), 0..1.

    It runs over the classes that occur among the true or the predicted labels (as scikit-learn
    does); such a class always has a denominator, and counts 0 where it is never hit. The mean of
    F1s, not the F1 of mean precision and mean recall, which can be far larger
    (https://arxiv.org/abs/1911.03347).
    """
    counts = arrays.confusion(predictions, references)
    ratios = 2 * counts.diagonal() / (counts.sum(axis=0) + counts.sum(axis=1))
    return float(ratios.mean())


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
    right, predicted, true = arrays.by_class(means)
    return arrays.mean_where(2 * right, predicted + true)


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("macro-f1", compute, settings, about=ABOUT)


MACRO_F1 = Score(
    name="macro-f1",
    about=ABOUT,
    source="https://arxiv.org/abs/1911.03347",
    module=module,
    compute=compute,
    terms=Terms(values=terms, combine=combine),
    higher_is_better=True,
    bounds=(0, 1),
)
