"""Logits that a metric has made itself, held against the targets of a split."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from harness.api.contexts import Evaluation
from harness.api.errors import HarnessError
from harness.api.probes import ProbeScore
from harness.compute.losses import decoded
from harness.measure.evaluation import Each
from harness.measure.view import View


def evaluation(pairs: Sequence[Each], *, each: bool) -> Evaluation:
    """Means of losses and errors [n] of several points, and these themselves on request."""
    losses, errors = (torch.stack(part) for part in zip(*pairs, strict=True))
    return Evaluation(
        loss=losses.mean(1),
        error=errors.mean(1),
        examples=losses.shape[1],
        example_losses=losses if each else None,
        example_errors=errors if each else None,
    )


def targets(view: View, split: str, examples: int | None) -> Tensor:
    """Targets [n] of the network's own classes.

    Raises:
        HarnessError: the split has merged classes.
    """
    found = view.targets(split, examples)
    if split in view.scene.merged:
        raise HarnessError(
            f"the split {split!r} has merged classes: losses, errors and scores can be read on it, "
            "but it has no targets of the network's classes",
            fix="name other `splits` for this metric",
        )
    return found


def judged(view: View, logits: Tensor, split: str, examples: int | None) -> Evaluation:
    """Losses and errors of logits [k, n, c], by the scene's own definitions."""
    wanted, objective = view.targets(split, examples), view.scene.objective
    with torch.no_grad():
        pairs = [
            (objective.losses(each, wanted).double(), objective.errors(each, wanted).double())
            for each in logits
        ]
    return evaluation(pairs, each=True)


def scored(
    view: View, scores: Mapping[str, ProbeScore], logits: Tensor, split: str, examples: int | None
) -> dict[str, list[float]]:
    """Every score of each of logits [k, n, c]; nothing is looked at where there are none."""
    if not scores:
        return {}
    wanted, merged = view.targets(split, examples), view.scene.merged.get(split)
    given = (wanted,) if merged is None else (decoded(wanted, merged), merged)
    return {name: [score.value(each, *given) for each in logits] for name, score in scores.items()}
