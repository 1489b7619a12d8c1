"""What a score is made of: numbers of single examples, from stored predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.api.errors import HarnessError
from harness.evaluate.predictions import Array, Predictions
from harness.plug.uses import offer_from

if TYPE_CHECKING:
    from harness.api.cells import Use
    from harness.plug.catalogue import Catalogue


def values_of(predictions: Predictions, use: Use, catalogue: Catalogue) -> Array:
    """What the score's `each` gives, [n], or its terms, [terms, n].

    Raises:
        HarnessError: the score has neither, or what it gives is of another shape or not finite.
    """
    offer, settings = offer_from(use, catalogue)
    targets = predictions.targets
    given = getattr(predictions, offer.needs)
    groups = predictions.groups if offer.groups else None
    if offer.each is not None:
        found = np.asarray(offer.each(settings, given, targets, groups))
        right = found.shape == targets.shape
    elif offer.terms is not None:
        classes = predictions.classes
        found = np.asarray(offer.terms.values(settings, given, targets, groups, classes))
        right = found.ndim == 2 and found.shape[1:] == targets.shape
    else:
        raise HarnessError(f"score '{use.label}' does not say how it is made of examples")
    if not right or not np.isfinite(found.astype(np.float64)).all():
        raise HarnessError(
            f"score '{use.label}' gives {list(found.shape)} numbers for {len(targets)} examples, "
            "or some that are not finite",
            fix="tell its author",
        )
    return found
