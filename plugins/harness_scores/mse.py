"""Mean squared error, for regression."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.api.offers import Score
from harness.api.settings import NoSettings
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "mean squared error of predicted values"


def compute(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """The mean over examples of (predicted - true)^2."""
    return float(each(_settings, predictions, references).mean())


def each(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> Array:
    """The squared error of each example, [n]."""
    predicted, true = arrays.numbers(predictions, references)
    squares: Array = (predicted - true) ** 2
    return squares


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("mse", compute, settings, about=ABOUT, needs="values")


MSE = Score(
    name="mse",
    about=ABOUT,
    module=module,
    compute=compute,
    each=each,
    higher_is_better=False,
    bounds=(0, math.inf),
    needs="values",
)
