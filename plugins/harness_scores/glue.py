"""The official score of each classification task of GLUE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import field_validator

from harness.api.offers import Score, Terms
from harness.api.settings import NoSettings, Settings, setting
from harness_scores import accuracy, arrays, mcc

if TYPE_CHECKING:
    from harness_scores.arrays import Array

ABOUT = "GLUE's score of a task: Matthews correlation, accuracy, or the mean of F1 and accuracy"
NONE = NoSettings()
PAIRED = ("mrpc", "qqp")
"""Tasks whose score is the mean of accuracy and of the F1 of class 1."""


class GlueSettings(Settings):
    """Which task."""

    task: Literal["cola", "mnli", "mrpc", "qnli", "qqp", "rte", "sst2", "wnli"] = setting(
        ..., "GLUE's name of the task"
    )

    @field_validator("task", mode="before")
    @classmethod
    def _of_labels(cls, value: object) -> object:
        if value == "stsb":
            raise ValueError("'stsb' predicts numbers; use the score glue-stsb")
        return value


def compute(
    settings: GlueSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """Matthews correlation for CoLA, (F1 + accuracy) / 2 for MRPC and QQP, else accuracy.

    F1 is that of class 1 (a paraphrase, a duplicate): 2 TP / (2 TP + FP + FN), and 0 where class 1
    is neither true nor predicted anywhere. (GLUE reports F1 and accuracy of these tasks; a
    task's one number is their mean, https://arxiv.org/abs/1804.07461, section 3 and table 2. Of
    MNLI it reports two numbers, the accuracy on the matched and that on the mismatched split: here
    each is the score of its split.)

    Between -1 and 1, the bounds of CoLA's; of the other tasks between 0 and 1. The offer states
    the former for all, as bounds do not depend on settings.
    """
    if settings.task == "cola":
        return mcc.compute(NONE, predictions, references)
    right = accuracy.compute(NONE, predictions, references)
    if settings.task not in PAIRED:
        return right
    predicted, true = (_binary(given) for given in arrays.labels(predictions, references))
    found = int(predicted.sum() + true.sum())
    f1 = 2 * int((predicted * true).sum()) / found if found else 0.0
    return (f1 + right) / 2


def terms(
    settings: GlueSettings,
    predictions: Array,
    references: Array,
    _groups: Array | None,
    classes: int,
) -> Array:
    """What each example adds to the counts of every class, [3 classes, n]."""
    if settings.task in PAIRED:
        classes = 2
        _binary(arrays.labels(predictions, references)[1])
    return arrays.class_terms(predictions, references, classes)


def combine(settings: GlueSettings, means: Array) -> Array:
    """The score from means of `terms`."""
    import numpy as np

    if settings.task == "cola":
        return mcc.combine(NONE, means)
    right, predicted, true = arrays.by_class(means)
    accurate = right.sum(axis=-1)
    if settings.task not in PAIRED:
        return np.asarray(accurate)
    found = predicted[..., 1] + true[..., 1]
    f1 = np.divide(2 * right[..., 1], found, out=np.zeros_like(found), where=found > 0)
    return np.asarray((f1 + accurate) / 2)


def module(settings: GlueSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("glue", compute, settings, about=ABOUT)


def _binary(labels: Array) -> Array:
    if labels.max() > 1 or labels.min() < 0:
        raise ValueError("this task of GLUE has the classes 0 and 1")
    return labels


GLUE = Score(
    name="glue",
    about=ABOUT,
    source="https://arxiv.org/abs/1804.07461",
    settings=GlueSettings,
    module=module,
    compute=compute,
    terms=Terms(values=terms, combine=combine),
    higher_is_better=True,
    bounds=(-1, 1),
)
