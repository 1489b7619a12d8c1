"""What a network learns from text without labels: inputs and targets of a batch."""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.api.contexts import Draws
from harness.api.networks import Language
from harness.compute.packed import MASK

IDS = "input_ids"
PLACES = "places"
IGNORED = -100
"""The target of a place at which nothing is predicted."""

REPLACED, DRAWN = 0.8, 0.9  # up to the first by the mask, from there to the second by any token


def next_tokens(inputs: Mapping[str, Tensor]) -> Tensor:
    """Targets [..., length]: the token after each place, where there is one."""
    ids, real = inputs[IDS], inputs[MASK].bool()
    targets = torch.full_like(ids, IGNORED)
    targets[..., :-1] = torch.where(real[..., 1:], ids[..., 1:], IGNORED)
    return targets


def masked_tokens(
    language: Language, inputs: Mapping[str, Tensor], draws: Draws
) -> tuple[dict[str, Tensor], Tensor]:
    """Inputs with tokens hidden, and targets [n, length]: the tokens that are to be found.

    Each token that is neither padding nor special is chosen with probability `share`. Draws are a
    function of the example and the place, however far the batch is filled up.
    """
    ids = inputs[IDS]
    length = ids.shape[-1]
    chosen = (draws.uniform(length) < language.share) & inputs[MASK].bool()
    for special in language.special:
        chosen &= ids != special
    role, token = draws.uniform(length), (draws.uniform(length) * language.tokens).long()
    hidden = torch.where(role < REPLACED, language.mask, torch.where(role < DRAWN, token, ids))
    changed = {**inputs, IDS: torch.where(chosen, hidden, ids)}
    return changed, torch.where(chosen, ids, IGNORED)


def at_places(inputs: Mapping[str, Tensor], targets: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Where tokens are predicted, and which: `places` [n, k] joins the inputs, targets are [n, k].

    k is the most of any example; an example of fewer is filled up with places whose target says
    that nothing is predicted.
    """
    predicted = targets != IGNORED
    most = max(1, int(predicted.sum(-1).max()))
    places = torch.argsort(predicted.byte(), dim=-1, descending=True, stable=True)[..., :most]
    return {**inputs, PLACES: places}, targets.gather(-1, places)
