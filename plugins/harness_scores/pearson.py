"""Pearson's correlation of predicted and true values, for regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.offers import Score, Terms
from harness.api.settings import NoSettings
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "Pearson's correlation of predicted and true values"


def compute(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """cov(x, y) / (sd(x) sd(y)), -1..1; 0 where either is constant and so tells nothing."""
    import numpy as np

    predicted, true = arrays.numbers(predictions, references)
    x, y = predicted - predicted.mean(), true - true.mean()
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / spread if spread > 0 else 0.0


def terms(
    _settings: NoSettings,
    predictions: Array,
    references: Array,
    _groups: Array | None,
    _classes: int,
) -> Array:
    """x, y, x^2, y^2 and xy of each example, [5, n].

    y is taken from its middle on this split, which moves no correlation and keeps digits.
    """
    import numpy as np

    predicted, true = arrays.numbers(predictions, references)
    middle = float(np.median(true))
    x, y = predicted - middle, true - middle
    return np.stack([x, y, x * x, y * y, x * y])


def combine(_settings: NoSettings, means: Array) -> Array:
    """The score from means of `terms`."""
    import numpy as np

    x, y, xx, yy, xy = (means[..., place] for place in range(5))
    spread = np.sqrt(np.maximum(xx - x * x, 0) * np.maximum(yy - y * y, 0))
    return np.asarray(np.divide(xy - x * y, spread, out=np.zeros_like(xy), where=spread > 0))


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("pearson", compute, settings, about=ABOUT, needs="values")


PEARSON = Score(
    name="pearson",
    about=ABOUT,
    source="https://gluebenchmark.com (the score of STS-B)",
    module=module,
    compute=compute,
    terms=Terms(values=terms, combine=combine),
    higher_is_better=True,
    bounds=(-1, 1),
    needs="values",
)
