"""How a metric looks at a split where mean losses are all it wants."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """Which examples of a split, and of which logits the loss is taken.

    `examples` is as for `Probe.evaluate`. `batch` (number, size) is one of the batches that these
    fall into when they are dealt out at random, from a fixed stream; the last may be smaller.
    `unit_logits` takes the loss of logits less their mean over classes and divided by their norm.
    `batch_statistics` lets batch norm go by the examples of the look, as in training, instead of
    the weights' own statistics, which stay as they are; all else is in evaluation mode. Only for
    `Probe.slope`.
    """

    examples: int | None = None
    batch: tuple[int, int] | None = None
    unit_logits: bool = False
    batch_statistics: bool = False
