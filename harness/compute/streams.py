"""Named streams of random numbers: every draw of a run comes from one of them.

A stream is a function of (seed, name) alone, so a new stream never moves the others.
"""

import hashlib
from dataclasses import dataclass, field, replace

import torch

from harness.api.cells import Branch, Seeds


def derive(seed: int, *names: str | int) -> int:
    """A seed of 63 bits for the named stream: SHA-256 of the seed and the names.

    >>> derive(0, "order") == derive(0, "order"), derive(0, "order") == derive(1, "order")
    (True, False)
    """
    text = "\x1f".join([str(seed), *(f"{type(name).__name__}:{name}" for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(derived: int) -> torch.Generator:
    """A CPU generator that starts from an already derived seed."""
    return torch.Generator().manual_seed(derived)


def stream(seed: int, name: str) -> torch.Generator:
    """The named stream of a seed, as a CPU generator."""
    return generator(derive(seed, name))


@dataclass(frozen=True)
class RunStreams:
    """The derived seeds of one training's streams.

    The pretraining seed draws the initial weights, the fine-tuning seed everything else; the data
    order has a seed of its own where a suite splits the fine-tuning seed. In a nested design the
    fine-tuning seed is first mixed with the pretraining seed. A pretraining (no fine-tuning seed)
    draws everything from the pretraining seed, from streams of other names, so that a pretraining
    and a fine-tuning of one seed do not see the same order.

    `branch` is a step and the streams that are drawn from after it; None for all but branches.
    """

    init: int
    head: int
    order: int
    dropout: int
    augment: int
    branch: "tuple[int, RunStreams] | None" = field(default=None, kw_only=True)

    @classmethod
    def of(cls, seeds: Seeds) -> "RunStreams":
        """The streams of a run's seeds."""
        init = derive(seeds.pretrain, "init")
        if seeds.finetune is None:
            names = ("head", "order", "dropout", "augment")
            return cls(init, *(derive(seeds.pretrain, f"pretrain:{name}") for name in names))
        order = seeds.finetune if seeds.order is None else seeds.order
        finetune = seeds.finetune
        if seeds.nested:
            finetune = derive(seeds.pretrain, "nested", finetune)
            order = derive(seeds.pretrain, "nested", order)
        return cls(
            init=init,
            head=derive(finetune, "head"),
            order=derive(order, "order"),
            dropout=derive(finetune, "dropout"),
            augment=derive(finetune, "augment"),
        )

    def branched(self, branch: Branch) -> "RunStreams":
        """These streams, with those that a branch turns to at its step."""
        own = replace(
            self,
            order=derive(self.order, "branch", branch.copy),
            dropout=derive(self.dropout, "branch", branch.copy),
            augment=derive(self.augment, "branch", branch.copy),
        )
        return replace(self, branch=(branch.step, own))
