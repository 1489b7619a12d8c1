"""A value that is a mean over examples, with its standard error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.api.readings import Value

if TYPE_CHECKING:
    from torch import Tensor


def example_mean(name: str, split: str, each: Tensor) -> Value:
    """The mean of one number per example [n], and its standard error where n > 1.

    >>> import torch
    >>> found = example_mean("accuracy", "test", torch.tensor([1.0, 0.0, 1.0, 0.0]).double())
    >>> found.value, round(found.standard_error, 4)
    (0.5, 0.2887)
    """
    mean = float(each.mean())
    known = len(each) > 1 and math.isfinite(mean)
    spread = float(each.std()) / len(each) ** 0.5 if known else None
    return Value(name=name, split=split, value=mean, standard_error=spread)
