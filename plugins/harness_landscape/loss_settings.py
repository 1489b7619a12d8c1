"""Which loss a metric of curvature looks at: settings and protocol that several of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.api.settings import Json, Settings, SplitName, setting

if TYPE_CHECKING:
    from harness.api.contexts import Probe


class LossSettings(Settings):
    """The mean loss over a split, on how many of its examples."""

    examples: int | None = setting(
        1000,
        "examples of the split that the loss is the mean of, drawn once from a fixed stream, the "
        "same for all runs; null: all of them",
        source="a choice: 1,024 in Andriushchenko et al. 2023, arXiv 2302.07011",
        ge=1,
    )
    split: SplitName = setting(
        "train",
        "the split of the loss: train, or an in-domain one",
        source="the landscape that was trained",
    )


def loss_protocol(settings: LossSettings, probe: Probe) -> dict[str, Json]:
    """What these settings mean on the split: the part of a protocol that says which loss it was."""
    total = probe.examples(settings.split)
    return {
        "split": settings.split,
        "examples": total if settings.examples is None else min(settings.examples, total),
        "quantity": "loss",
        "reduction": "mean over examples; weight decay left out",
        "mode": "eval",
        "parameters": "all",
    }
