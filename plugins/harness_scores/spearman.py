"""Spearman's rank correlation of predicted and true values, for regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.offers import Score
from harness.api.settings import NoSettings
from harness_scores import arrays, pearson

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "Spearman's rank correlation of predicted and true values"


def compute(
    settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """Pearson's correlation of the ranks, ties sharing the mean of theirs, -1..1."""
    from scipy.stats import rankdata

    predicted, true = arrays.numbers(predictions, references)
    return pearson.compute(settings, rankdata(predicted), rankdata(true))


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("spearman", compute, settings, about=ABOUT, needs="values")


SPEARMAN = Score(
    name="spearman",
    about=ABOUT,
    source="https://gluebenchmark.com (the score of STS-B)",
    module=module,
    compute=compute,
    higher_is_better=True,
    bounds=(-1, 1),
    needs="values",
)
