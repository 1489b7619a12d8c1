"""Expected calibration error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.offers import Score, Terms
from harness.api.settings import Settings, setting
from harness_scores import arrays

if TYPE_CHECKING:
    from harness_scores.arrays import Array

SOURCE = "https://arxiv.org/abs/1706.04599"
ABOUT = "expected calibration error of the top label, equal-width bins"


class EceSettings(Settings):
    """How confidences are binned."""

    bins: int = setting(15, "number of bins of equal width over 0..1", source=SOURCE, ge=1)


def compute(
    settings: EceSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """sum_b n_b / n |accuracy_b - confidence_b| over bins ((b-1)/B, b/B], 0..1 (Guo 2017).

    The confidence is the largest probability, the prediction its class (of equals the first). Empty
    bins add nothing. The estimate grows with the number of bins and shrinks with n: compare it at
    equal n only.
    """
    import numpy as np

    bins, gaps = _gaps(settings, predictions, references)
    of_bins = np.bincount(bins, weights=gaps, minlength=settings.bins)
    return float(np.abs(of_bins).sum() / len(gaps))


def terms(
    settings: EceSettings,
    predictions: Array,
    references: Array,
    _groups: Array | None,
    _classes: int,
) -> Array:
    """Each example's gap, right less confidence, in the row of its bin, [bins, n]."""
    import numpy as np

    bins, gaps = _gaps(settings, predictions, references)
    return np.where(np.arange(settings.bins)[:, None] == bins, gaps, 0.0)


def combine(_settings: EceSettings, means: Array) -> Array:
    """The score from means of `terms`."""
    import numpy as np

    return np.asarray(np.abs(means).sum(axis=-1))


def _gaps(settings: EceSettings, predictions: Array, references: Array) -> tuple[Array, Array]:
    import numpy as np

    given, true = arrays.probabilities(predictions, references)
    chosen = given.argmax(axis=1)
    confidence = np.minimum(given[np.arange(len(true)), chosen], 1.0)
    edges = np.linspace(0, 1, settings.bins + 1)
    return np.searchsorted(edges[1:-1], confidence, side="left"), (chosen == true) - confidence


def module(settings: EceSettings) -> Any:  # evaluate carries no types
    """The score as an `evaluate.Metric`."""
    from harness_scores.evaluation import ArrayMetric

    return ArrayMetric("ece", compute, settings, about=ABOUT, needs="probabilities")


ECE = Score(
    name="ece",
    about=ABOUT,
    source=SOURCE,
    settings=EceSettings,
    module=module,
    compute=compute,
    terms=Terms(values=terms, combine=combine),
    higher_is_better=False,
    bounds=(0, 1),
    needs="probabilities",
)
