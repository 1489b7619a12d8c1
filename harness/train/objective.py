"""The loss of a batch, alone or in a stack, whole or in parts."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.compute.dropout import Rows
from harness.compute.losses import cross_entropy, squared_error
from harness.train.batches import Batch
from harness.train.language import IGNORED


@dataclass(frozen=True)
class Part:
    """Some of a batch's examples. `share` is what their mean loss counts in that of the batch.

    A float, or one number per run; None where they are the whole batch. `rows` are their places.
    """

    batch: Batch
    share: float | Tensor | None = None
    rows: Rows | None = None


@dataclass(frozen=True)
class Objective:
    """The mean loss of a batch: cross-entropy over its examples, or squared error in regression.

    For the task language the mean is over the tokens that are predicted: logits are
    [b, length, tokens], targets [b, length], and a batch in which none is has the loss 0.
    `stacked`: both with the runs before, and a loss for each.
    """

    task: str
    stacked: bool

    def __call__(self, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """The mean loss: a scalar, or [runs]."""
        if self.task == "regression":
            return squared_error(logits, targets, smoothing).mean(-1)
        if self.stacked:
            losses = cross_entropy(logits, targets, smoothing)
            return losses.sum((1, 2)) / self._predicted(targets) if self.tokens else losses.mean(1)
        if not self.tokens:
            return F.cross_entropy(logits, targets, label_smoothing=smoothing)
        losses = F.cross_entropy(
            logits.flatten(0, 1),
            targets.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=smoothing,
        )
        return losses / self._predicted(targets)

    @property
    def tokens(self) -> bool:
        """Whether tokens are predicted, and not examples."""
        return self.task == "language"

    def parts(self, batch: Batch, count: int) -> Iterator[Part]:
        """The batch's examples, in order, in so many parts of equal size (to one example)."""
        axis = 1 if self.stacked else 0
        examples = batch.targets.shape[axis]
        count = min(count, examples)
        if count < 2:
            yield Part(batch)
            return
        inputs = {n: torch.tensor_split(x, count, axis) for n, x in batch.inputs.items()}
        start = 0
        for place, targets in enumerate(torch.tensor_split(batch.targets, count, axis)):
            size = targets.shape[axis]
            share: float | Tensor = size / examples
            if self.tokens:
                share = self._predicted(targets) / self._predicted(batch.targets)
            given = {name: pieces[place] for name, pieces in inputs.items()}
            yield Part(Batch(given, targets), share, Rows(start, size))
            start += size

    def _predicted(self, targets: Tensor) -> Tensor:
        """How many tokens are predicted, at least one: a scalar, or [runs]."""
        wanted = targets != IGNORED
        return (wanted.sum((1, 2)) if self.stacked else wanted.sum()).clamp(min=1)
