"""Loss and error of each example; leading dimensions (a stack of networks) are kept."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.api.errors import HarnessError

REGISTER = 16  # numbers that a processor's vector register holds at most


def cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy per example: logits [..., n, c] and targets [n] (or [..., n]) to [..., n].

    With `smoothing` s the target distribution is (1 - s) one-hot + s / c (Szegedy et al. 2016).
    """
    targets = targets.expand(logits.shape[:-1])
    flat, wanted = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
    if not smoothing and _slow(flat):
        by_class = flat.t().contiguous().log_softmax(0)
        losses = F.nll_loss(by_class.t(), wanted, reduction="none")
    else:
        losses = F.cross_entropy(flat, wanted, reduction="none", label_smoothing=smoothing)
    return losses.reshape(targets.shape)


def squared_error(values: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Squared error per example: values [..., n, 1] and targets [n] (or [..., n]) to [..., n].

    There are no classes to smooth over: `smoothing` must be 0.
    """
    if smoothing:
        raise HarnessError("label smoothing needs classes", fix="set `label_smoothing: 0`")
    found: Tensor = (values.squeeze(-1) - targets).square()
    return found


def absolute_error(values: Tensor, targets: Tensor) -> Tensor:
    """|value - target| per example, infinite where the value is not a number."""
    return torch.nan_to_num((values.squeeze(-1) - targets).abs(), nan=float("inf"))


def errors(logits: Tensor, targets: Tensor) -> Tensor:
    """1.0 where the largest logit is not the target's, or a logit is not finite; else 0.0."""
    wrong = logits.argmax(dim=-1) != targets
    finite = (logits * 0).sum(dim=-1) == 0  # infinity times 0 is NaN; faster than `isfinite`
    return (wrong | ~finite).to(torch.float32)


def _slow(logits: Tensor) -> bool:
    """Whether torch takes the classes of an example one by one (2.13: seven times slower).

    Gradients are left to torch's own cross-entropy, which training has always used.
    """
    few = logits.shape[-1] < REGISTER
    return few and logits.device.type == "cpu" and not torch.is_grad_enabled()


def codes(targets: Tensor, merged: Sequence[Sequence[int]]) -> Tensor:
    """Targets of merged classes as sets of the model's: minus the sum of 2 to the members' places.

    >>> codes(torch.tensor([0, 1]), [[0], [1, 2]]).tolist()
    [-1, -6]
    """
    sets = [-sum(1 << place for place in members) for members in merged]
    return torch.tensor(sets, dtype=torch.int64, device=targets.device)[targets]


def decoded(targets: Tensor, merged: Sequence[Sequence[int]]) -> Tensor:
    """The targets of which `codes` made these.

    >>> decoded(torch.tensor([-1, -6, -6]), [[0], [1, 2]]).tolist()
    [0, 1, 1]
    """
    known = codes(torch.arange(len(merged), device=targets.device), merged)
    return (targets[:, None] == known).long().argmax(1)


def merged_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """As `cross_entropy`, where targets may be sets of classes (`codes`).

    The loss of a set is minus the logarithm of its probability, the sum of its members'.
    """
    plain = cross_entropy(logits, targets.clamp(min=0), smoothing)
    inside = logits.masked_fill(~_members(logits, targets), -torch.inf)
    return torch.where(targets < 0, logits.logsumexp(-1) - inside.logsumexp(-1), plain)


def merged_errors(logits: Tensor, targets: Tensor) -> Tensor:
    """As `errors`; of a set 1.0 where the largest logit is not a member's."""
    chosen = logits.argmax(dim=-1, keepdim=True)
    wrong = ~_members(logits, targets).expand(logits.shape).gather(-1, chosen).squeeze(-1)
    finite = (logits * 0).sum(dim=-1) == 0
    return (wrong | ~finite).to(torch.float32)


def _members(logits: Tensor, targets: Tensor) -> Tensor:
    """True [..., n, c] where a class is the target, or in the set that it stands for."""
    places = torch.arange(logits.shape[-1], device=logits.device)
    wanted = targets[..., None]
    return torch.where(wanted < 0, (-wanted >> places) & 1 == 1, wanted == places)
