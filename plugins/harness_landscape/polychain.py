"""`polychain`: loss and error along a trained chain of two straight pieces between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness_landscape.curve_reading import read
from harness_landscape.curve_training import GARIPOV, CurveSettings

if TYPE_CHECKING:
    from harness.api.contexts import Probe
    from harness.api.readings import Reading
    from harness_landscape.bent_curve import Parts


def chain(t: float) -> Parts:
    """Parts of start, bend and end at t.

    >>> chain(0.25), chain(0.5), chain(0.75)
    ((0.5, 0.5, 0.0), (0.0, 1.0, 0.0), (0.0, 0.5, 0.5))
    """
    return max(0.0, 1 - 2 * t), 1 - abs(2 * t - 1), max(0.0, 2 * t - 1)


def measure(settings: CurveSettings, probe: Probe) -> Reading:
    """The curve's heights, barriers and length, and the straight line's barriers."""
    return read(settings, probe, chain)


POLYCHAIN = Metric(
    name="polychain",
    about="Loss and error along two straight pieces between two runs that were trained to be low.",
    source=GARIPOV,
    settings=CurveSettings,
    measure=measure,
    of="pair",
    access="ood-labels",
    direction="larger: no low curve of this kind was found; its relation to OOD scores depends",
    formula="phi(t) = (1-2t) w0 + 2t theta for t <= 1/2, (2-2t) theta + (2t-1) w1 beyond; theta "
    "minimises E L_train(phi(t)), t ~ U(0, 1). lerp-loss = max_t [L(phi(t)) - (1-t) L(w0) - "
    "t L(w1)], frankle-error = max_t E(phi(t)) - (E(w0) + E(w1)) / 2, and with L and E exchanged; "
    "straight-NAME: on the straight line; min, max, mean over t, arc-mean over the length; "
    "length: that of the curve over ||w1 - w0||.",
    invariances="exchange of the two runs, up to the draws of training. Not under permutation or "
    "rescaling of units, though a curve can lead around what a line cannot.",
    cost="`steps` gradients of `batch` examples per pair, and 2 (points - 2) forward passes per "
    "pair and split, train included; with batch norm 2 points passes over the training split.",
    oracle="a ring-shaped valley (straight barrier 1; the bend against a dense numerical optimum), "
    "convex losses (no barrier), the gradient by automatic differentiation, closed-form lengths.",
)
