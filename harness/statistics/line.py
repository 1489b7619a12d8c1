"""Accuracy on the line, and robustness beyond it.

Taori et al. 2020, arXiv 2007.00644; Miller et al. 2021, arXiv 2107.04649. Over many models OOD
accuracy is nearly linear in in-domain accuracy once both are transformed. A model's effective
robustness is how much it scores OOD above what that line, fitted to *other* models, predicts from
its in-domain accuracy.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Array = NDArray[np.float64]
Scale = Literal["probit", "logit", "linear"]

RELIABLE = 0.5
"""Below this share of true variance in the in-domain scores a fitted slope means little."""


@dataclass(frozen=True)
class Line:
    """t(OOD) = intercept + slope t(ID), t the scale; `r2` on that scale, over n models."""

    slope: float
    intercept: float
    r2: float
    n: int
    scale: Scale

    def predict(self, in_domain: Array) -> Array:
        """OOD accuracy on the line."""
        there = self.intercept + self.slope * transform(in_domain, self.scale)
        return back(there, self.scale)

    def effective_robustness(self, in_domain: Array, ood: Array) -> Array:
        """OOD accuracy less that on the line. The models must not be those it was fitted to."""
        return np.asarray(ood, dtype=np.float64) - self.predict(in_domain)


def fit_line(in_domain: Array, ood: Array, scale: Scale = "probit") -> Line:
    """Least squares on the transformed accuracies of baseline models.

    Raises:
        ValueError: fewer than three models, in-domain accuracies all equal, or (but on the linear
            scale) an accuracy of 0 or 1.
    """
    x, y = transform(in_domain, scale), transform(ood, scale)
    if x.size < 3:
        raise ValueError(f"a line through {x.size} models says nothing")
    if np.ptp(x) == 0:
        raise ValueError("all models have the same in-domain accuracy")
    found = stats.linregress(x, y)
    r2 = float(found.rvalue**2) if np.ptp(y) > 0 else float("nan")
    return Line(float(found.slope), float(found.intercept), r2, x.size, scale)


def reliability(in_domain: Array, examples: int) -> float:
    """Which share of the variance of in-domain accuracies is not the noise of testing.

    1 - mean(p (1 - p) / examples) / var(p), cut off at 0. Noise in what a line is fitted to makes
    its slope too small by about this factor (errors in variables): seeds of one procedure often
    differ in-domain by less than the noise, and no line can be fitted to them alone.
    """
    accuracies = np.asarray(in_domain, dtype=np.float64)
    spread = float(accuracies.var(ddof=1))
    if spread == 0:
        return 0.0
    noise = float((accuracies * (1 - accuracies)).mean()) / examples
    return max(0.0, 1 - noise / spread)


def chance_corrected(accuracy: Array, classes: int) -> Array:
    """(a - 1/c) / (1 - 1/c): 0 for guessing."""
    return (np.asarray(accuracy, dtype=np.float64) - 1 / classes) / (1 - 1 / classes)


def transform(accuracy: Array, scale: Scale) -> Array:
    """Accuracies on a scale: Phi^-1, log odds, or as they are."""
    values = np.asarray(accuracy, dtype=np.float64)
    if scale == "linear":
        return values
    if not ((values > 0) & (values < 1)).all():
        raise ValueError(f"an accuracy of 0 or 1 has no {scale}")
    found: Array = stats.norm.ppf(values) if scale == "probit" else special.logit(values)
    return found


def back(values: Array, scale: Scale) -> Array:
    """The inverse of `transform`."""
    if scale == "linear":
        return values
    found: Array = stats.norm.cdf(values) if scale == "probit" else special.expit(values)
    return found
