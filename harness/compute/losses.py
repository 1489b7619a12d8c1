"""Loss and error of each example; leading dimensions (a stack of networks) are kept."""

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
