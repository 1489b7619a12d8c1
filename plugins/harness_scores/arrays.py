"""What every score checks of its arrays, and the counts that several scores share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


def labels(predictions: Array, references: Array) -> tuple[Array, Array]:
    """Predicted and true labels, [n] each; raises `ValueError` where they cannot be compared."""
    import numpy as np

    predicted, true = np.asarray(predictions), np.asarray(references)
    if predicted.ndim != 1 or predicted.shape != true.shape:
        raise ValueError(f"expected labels [n] twice, got {predicted.shape} and {true.shape}")
    if not len(true):
        raise ValueError("there is nothing to score")
    return predicted, true


def probabilities(predictions: Array, references: Array) -> tuple[Array, Array]:
    """Probabilities [n, classes] (float64) and true labels [n]; raises `ValueError`."""
    import numpy as np

    given, true = np.asarray(predictions, dtype=np.float64), np.asarray(references)
    if given.ndim != 2 or given.shape[:1] != true.shape:
        raise ValueError(
            f"expected probabilities [n, classes] and labels [n], got {given.shape}, {true.shape}"
        )
    if not len(true):
        raise ValueError("there is nothing to score")
    if true.min() < 0 or true.max() >= given.shape[1]:
        raise ValueError(f"labels must lie in 0..{given.shape[1] - 1}")
    if not (given.min() >= 0 and np.abs(given.sum(axis=1) - 1).max() < 1e-3):
        raise ValueError("each row of probabilities must sum to 1; are these logits?")
    return given, true


def numbers(predictions: Array, references: Array) -> tuple[Array, Array]:
    """Predicted and true values, float64 [n] each; raises `ValueError`."""
    import numpy as np

    predicted = np.asarray(predictions, dtype=np.float64)
    true = np.asarray(references, dtype=np.float64)
    if predicted.ndim != 1 or predicted.shape != true.shape:
        raise ValueError(f"expected values [n] twice, got {predicted.shape} and {true.shape}")
    if not len(true):
        raise ValueError("there is nothing to score")
    return predicted, true


def confusion(predictions: Array, references: Array) -> Array:
    """Counts [true class, predicted class] over the classes that occur in either (float64)."""
    import numpy as np

    predicted, true = labels(predictions, references)
    found, index = np.unique(np.concatenate([true, predicted]), return_inverse=True)
    pairs = index[: len(true)] * len(found) + index[len(true) :]
    counts = np.bincount(pairs, minlength=len(found) ** 2).astype(np.float64)
    return counts.reshape(len(found), len(found))


def class_terms(predictions: Array, references: Array, classes: int) -> Array:
    """Per example, 0 or 1: right as class k, predicted k, truly k; [3 classes, n] (float32)."""
    import numpy as np

    predicted, true = labels(predictions, references)
    index = np.arange(classes)[:, None]
    guessed, given = predicted[None] == index, true[None] == index
    return np.concatenate([guessed & given, guessed, given]).astype(np.float32)


def by_class(means: Array) -> tuple[Array, Array, Array]:
    """Means of `class_terms` as shares right, predicted and true, [..., classes] each."""
    size = means.shape[-1] // 3
    return means[..., :size], means[..., size : 2 * size], means[..., 2 * size :]


def mean_where(values: Array, divisors: Array) -> Array:
    """The mean over the last axis of values / divisors where there is something to divide by."""
    import numpy as np

    there = divisors > 0
    ratios = np.divide(values, divisors, out=np.zeros_like(values), where=there)
    return np.asarray(ratios.sum(axis=-1) / there.sum(axis=-1))
