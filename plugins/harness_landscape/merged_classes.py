"""What a network says, in the classes of a split that merges some of the network's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def merged_answers(chosen: Tensor, merged: Sequence[Sequence[int]]) -> Tensor:
    """The classes that stand for chosen ones of the network (any shape); without `merged` these.

    What is no class of the network (nothing was chosen) stays apart from all others.

    >>> import torch
    >>> merged_answers(torch.tensor([0, 2, 1, 3, 4]), [[0], [1, 2]]).tolist()
    [0, 1, 1, 3, 4]
    """
    found = chosen.clone()
    for place, members in enumerate(merged):
        for member in members:
            found[chosen == member] = place
    return found


def merged_logits(logits: Tensor, merged: Sequence[Sequence[int]]) -> Tensor:
    """Logits [..., merged classes] whose softmax sums that of the members; without `merged` these.

    >>> import torch
    >>> chances = torch.tensor([0.2, 0.5, 0.3])
    >>> [round(p, 3) for p in merged_logits(chances.log(), [[0], [1, 2]]).softmax(-1).tolist()]
    [0.2, 0.8]
    """
    import torch

    if not merged:
        return logits
    return torch.stack([logits[..., list(members)].logsumexp(-1) for members in merged], -1)
