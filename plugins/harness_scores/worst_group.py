"""Worst-group accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.offers import Score, Terms
from harness.api.settings import NoSettings
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "accuracy of the group of examples that does worst"


def compute(
    _settings: NoSettings, predictions: Array, references: Array, groups: Array | None = None
) -> float:
    """The smallest accuracy among the groups that have examples, 0..1 (Sagawa 2020).

    A group without an example has no accuracy and is left out; the smallest of several noisy
    accuracies lies below the smallest true one, the more so the smaller the groups. Raises
    `ValueError` where the examples have no groups.
    """
    import numpy as np

    predicted, true = arrays.labels(predictions, references)
    if groups is None or np.shape(groups) != true.shape:
        raise ValueError("worst-group accuracy needs the group of every example")
    _, index = np.unique(groups, return_inverse=True)
    return float((np.bincount(index, weights=predicted == true) / np.bincount(index)).min())


def terms(
    _settings: NoSettings,
    predictions: Array,
    references: Array,
    groups: Array | None,
    _classes: int,
) -> Array:
    """Per example, 0 or 1: right and in group g, in group g; [2 groups, n] (float32)."""
    import numpy as np

    predicted, true = arrays.labels(predictions, references)
    of_example = np.asarray(groups)
    member = np.unique(of_example)[:, None] == of_example
    return np.concatenate([member & (predicted == true), member]).astype(np.float32)


def combine(_settings: NoSettings, means: Array) -> Array:
    """The score from means of `terms`: groups of which no example was drawn are left out."""
    import numpy as np

    size = means.shape[-1] // 2
    right, members = means[..., :size], means[..., size:]
    found = np.divide(right, members, out=np.full_like(right, np.inf), where=members > 0)
    return np.asarray(found.min(axis=-1))


def module(settings: NoSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("worst-group", compute, settings, about=ABOUT, needs="labels and groups")


WORST_GROUP = Score(
    name="worst-group",
    about=ABOUT,
    source="https://arxiv.org/abs/1911.08731",
    module=module,
    compute=compute,
    terms=Terms(values=terms, combine=combine),
    higher_is_better=True,
    bounds=(0, 1),
    groups=True,
)
