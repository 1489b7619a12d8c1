"""Negative log-likelihood."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.api.offers import Score
from harness.api.settings import NoSettings
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "mean negative log-likelihood of the true label, in nats"


def compute(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """The mean of -log p(true label), in nats, 0 or more.

    A probability below the smallest normal double (2.2e-308) counts as that, so that one sure and
    wrong example costs 708.4 and the mean stays finite. scikit-learn cuts at 2.2e-16 (36 nats).
    """
    return float(each(_settings, predictions, references).mean())


def each(
    _settings: NoSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> Array:
    """The negative log-likelihood of each true label, [n]."""
    import numpy as np

    given, true = arrays.probabilities(predictions, references)
    of_truth = given[np.arange(len(true)), true]
    likelihoods: Array = -np.log(np.clip(of_truth, np.finfo(np.float64).tiny, 1))
    return likelihoods


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("nll", compute, settings, about=ABOUT, needs="probabilities")


NLL = Score(
    name="nll",
    about=ABOUT,
    module=module,
    compute=compute,
    each=each,
    higher_is_better=False,
    bounds=(0, math.inf),
    needs="probabilities",
)
