"""The straight line between two points: where it is sampled, and the batch-norm policy on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from harness.api.contexts import Probe, Weights

Recalibrate = Literal["auto", "never"]

RECALIBRATE = (
    "batch-norm statistics anew from the training split at every point, the ends included, "
    "where the network has batch norm"
)
RECALIBRATE_SOURCE = "Garipov et al. 2018, arXiv 1802.10026; Jordan et al. 2022, arXiv 2211.08403"


def evenly(points: int) -> list[float]:
    """So many places from 0 to 1, both included.

    >>> evenly(3)
    [0.0, 0.5, 1.0]
    """
    return [number / (points - 1) for number in range(points)]


def ready(points: Sequence[Weights], probe: Probe, recalibrate: Recalibrate) -> list[Weights]:
    """The points as they are evaluated: with new statistics where the policy says so."""
    return list(points) if recalibrate == "never" else probe.recalibrated(points)


def diverged(losses: Tensor) -> bool:
    """Whether a run at an end of the line has diverged: no loss there is finite.

    `losses` are [points, examples], the runs first and last. Such a run errs on every example, as
    do the points beside it, so that its errors would tell of a flat line.

    >>> import torch
    >>> diverged(torch.tensor([[0.5, 1.0], [0.7, 0.7], [torch.nan, torch.inf]]))
    True
    """
    import torch

    return not bool(torch.isfinite(losses[[0, -1]]).any(dim=1).all())


def policy(probe: Probe, recalibrate: Recalibrate) -> str:
    """The batch-norm policy in words, for the protocol."""
    if not probe.batch_norm:
        return "none in the network"
    if recalibrate == "never":
        return "statistics interpolated"
    return "statistics anew from train at every point"
