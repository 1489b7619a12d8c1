"""The official score of STS-B, GLUE's one task of regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.offers import Score
from harness.api.settings import NoSettings
from harness_scores import pearson, spearman

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "GLUE's score of STS-B: the mean of Pearson's and Spearman's correlation"


def compute(
    settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """(Pearson + Spearman) / 2, -1..1; 0 where either side is constant."""
    line = pearson.compute(settings, predictions, references)
    ranks = spearman.compute(settings, predictions, references)
    return (line + ranks) / 2


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("glue-stsb", compute, settings, about=ABOUT, needs="values")


GLUE_STSB = Score(
    name="glue-stsb",
    about=ABOUT,
    source="https://arxiv.org/abs/1804.07461",
    module=module,
    compute=compute,
    higher_is_better=True,
    bounds=(-1, 1),
    needs="values",
)
"""Without `terms`: ranks are no means over examples."""
