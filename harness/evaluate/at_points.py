"""Scores of a suite at points that no run has reached: what metrics of paths are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.api.offers import Score
from harness.api.probes import ProbeScore
from harness.evaluate.predictions import Merged, Predictions
from harness.evaluate.scoring import value_of
from harness.plug.uses import offer_from

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.cells import Use
    from harness.plug.catalogue import Catalogue


def at_points(catalogue: Catalogue, use: Use) -> ProbeScore:
    """The score as a function of logits and targets, computed as for a run."""
    offer, settings = offer_from(use, catalogue)
    if not isinstance(offer, Score):
        raise TypeError(f"{use.name!r} is a {offer.noun}, not a score")

    def value(logits: Tensor, targets: Tensor, merged: Merged = ()) -> float:
        given = logits.numpy().astype(np.float32)
        found = Predictions(given, targets.numpy(), merged=merged)
        return value_of(found, offer, settings)

    return ProbeScore(value, offer.higher_is_better)
