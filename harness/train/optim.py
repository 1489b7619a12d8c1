"""A phase's optimizer: torch's own, on the parameters of one run or of a stack of runs.

SGD, Adam and AdamW work element by element, so on stacked parameters they do to each run exactly
what they would do to it alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harness.api.recipes import Optimizer
from harness.train.groups import Pace

PACE = "pace"  # what a group's learning rate is multiplied by

_KINDS: Mapping[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def optimizer_for(
    spec: Optimizer, parameters: Mapping[str, Tensor], paces: Mapping[str, Pace], *, stacked: bool
) -> torch.optim.Optimizer:
    """The optimizer in groups of one pace, in which biases and norms stand apart: they never decay.

    "Biases and norms" are parameters of fewer than two dimensions, not counting the stack's own.
    """
    least = 3 if stacked else 2
    groups: dict[Pace, list[Tensor]] = {}
    for name, parameter in parameters.items():
        pace = paces[name]
        if parameter.ndim < least and not spec.decay_all:
            pace = pace._replace(decay=0.0)
        groups.setdefault(pace, []).append(parameter)
    options: dict[str, Any] = {"lr": spec.lr}
    if spec.name == "sgd":
        options |= {"momentum": spec.momentum, "nesterov": spec.nesterov}
    else:
        options |= {"betas": spec.betas, "eps": spec.eps}
    # One kernel per step instead of several per parameter.
    options["fused"] = next(iter(parameters.values())).device.type in ("cpu", "cuda")
    return _KINDS[spec.name](
        [
            {"params": group, "weight_decay": pace.decay, PACE: pace.rate}
            for pace, group in groups.items()
        ],
        **options,
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Let the next step be taken at this learning rate, each group at its own multiple of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group[PACE]


def clip(parameters: Sequence[Tensor], largest: float, *, stacked: bool) -> None:
    """Scale gradients so that each run's norm over all of them is at most `largest`."""
    if not stacked:
        nn.utils.clip_grad_norm_(parameters, largest)
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
    # 1e-6 as in torch.nn.utils.clip_grad_norm_, so that a run alone is clipped alike.
    scale = (largest / (norms + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale.reshape(-1, *[1] * (gradient.ndim - 1)))
