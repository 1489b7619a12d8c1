"""Batch-norm statistics taken anew at a point that was never trained.

Between two trained points the stored statistics fit neither: activations collapse and the barrier
measures that (Jordan et al. 2022, arXiv 2211.08403). The remedy is one pass over training data
with batch norm in training mode and all else in evaluation mode, as in Garipov et al. 2018.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import Tensor, nn

from harness.api.contexts import Weights
from harness.measure.data import Batch, Sample
from harness.measure.ledger import Ledger
from harness.measure.scene import Scene

BATCH = 256
_STATISTICS = ("running_mean", "running_var")


def norms(module: nn.Module) -> dict[str, nn.modules.batchnorm._BatchNorm]:
    """The batch norms that keep statistics, by name."""
    return {
        name: part
        for name, part in module.named_modules()
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.track_running_stats
    }


def statistics(scene: Scene, weights: Weights, sample: Sample, ledger: Ledger) -> dict[str, Tensor]:
    """New running means and variances at a point; integer buffers stay the point's own.

    Means and (unbiased) variances of batches of equal size, up to 256 examples, are averaged over
    the sample: a cumulative average, so that the order of the batches does not matter and no short
    last batch weighs more than its examples.
    """
    parts = norms(scene.network.module)
    ledger.forward(sample.size)
    with torch.no_grad(), training(parts):
        return _averages(scene, dict(weights), parts, sample)


def _averages(
    scene: Scene,
    weights: dict[str, Tensor],
    parts: dict[str, nn.modules.batchnorm._BatchNorm],
    sample: Sample,
) -> dict[str, Tensor]:
    names = [f"{name}.{statistic}" for name in parts for statistic in _STATISTICS]
    means = {name: torch.zeros_like(weights[name]) for name in names}
    parameters = {name for name, _ in scene.network.module.named_parameters()}
    buffers = {name: tensor for name, tensor in weights.items() if name not in parameters}
    buffers |= means  # a diverged run's statistics would not go away with momentum 1: 0 * NaN
    seen = 0
    for batch in _equal_batches(sample):
        # torch writes a batch's statistics (momentum 1) into the buffers that it is given
        scratch = {name: tensor.clone() for name, tensor in buffers.items()}
        scene.outputs({**weights, **scratch}, batch.inputs)
        seen += batch.size
        for name in names:
            means[name] += (scratch[name] - means[name]) * (batch.size / seen)
    return means


def _equal_batches(sample: Sample) -> Iterator[Batch]:
    count = -(-sample.size // BATCH)
    ends = [sample.size * number // count for number in range(count + 1)]
    for start, end in pairwise(ends):
        yield sample.batch(start, end)


@contextmanager
def training(parts: dict[str, nn.modules.batchnorm._BatchNorm]) -> Iterator[None]:
    """Batch norms in training mode with momentum 1, everything else untouched."""
    before = [(part, part.training, part.momentum) for part in parts.values()]
    try:
        for part in parts.values():
            part.training, part.momentum = True, 1.0
        yield
    finally:
        for part, mode, momentum in before:
            part.training, part.momentum = mode, momentum
