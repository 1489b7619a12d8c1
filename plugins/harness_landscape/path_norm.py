"""The path norm: the size of a ReLU network that no rescaling of its units can change."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Probe, Weights

EPSILON = 1e-5  # torch's default in batch norm, which weights do not tell


def path_norm(probe: Probe, weights: Weights) -> float | None:
    """The root of the sum, over all paths from input to output, of the product of squared weights.

    That is sqrt(sum of outputs) of the network with squared weights at an input of ones. A bias is
    a path that starts at a one. Batch norm is an affine map s x + t of its channels and becomes
    s^2 x + t^2. None where it is not defined: for other normalisations, and inputs that are no
    numbers, such as tokens.
    """
    import torch

    if _other_norms(probe, weights):
        return None
    squared = {  # what the model froze counts as well
        name: tensor.double().square() if tensor.is_floating_point() else tensor
        for name, tensor in weights.items()
    }
    for layer in _batch_norms(weights):
        squared |= _folded(layer, weights)
    outputs = probe.response(squared)
    if outputs is None:
        return None
    total = float(outputs.sum())
    return math.sqrt(total) if total >= 0 and bool(torch.isfinite(outputs).all()) else math.nan


def _batch_norms(weights: Weights) -> list[str]:
    mark = ".running_mean"
    return [name.removesuffix(mark) for name in weights if name.endswith(mark)]


def _other_norms(probe: Probe, weights: Weights) -> bool:
    """Whether a normalisation layer is no batch norm, or one without scales to square."""
    import torch

    known = _batch_norms(weights)
    if any(f"{layer}.weight" not in weights for layer in known):
        return True
    group = probe.group("no-bias-and-norm")
    sizes = [weights[name].numel() for name in probe.names()]
    for name, belongs in zip(probe.names(), torch.split(group, sizes), strict=True):
        layer, _, kind = name.rpartition(".")
        if not bool(belongs.all()) and "bias" not in kind and layer not in known:
            return True
    return False


def _folded(layer: str, weights: Weights) -> dict[str, Tensor]:
    """Squared scale and shift of a batch norm, with statistics that leave the rest alone."""
    import torch

    mean, variance, scale, shift = (
        weights[f"{layer}.{part}"].double()
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    scale = scale / (variance + EPSILON).sqrt()
    return {
        f"{layer}.weight": scale.square(),
        f"{layer}.bias": (shift - scale * mean).square(),
        f"{layer}.running_mean": torch.zeros_like(mean),
        f"{layer}.running_var": torch.full_like(variance, 1 - EPSILON),
    }
