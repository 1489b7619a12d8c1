"""Losses and errors at many weights on the same examples."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from harness.api.contexts import Weights
from harness.measure.data import Batch, Sample
from harness.measure.ledger import Ledger
from harness.measure.scene import Scene

Each = tuple[Tensor, Tensor]  # losses [n] and errors [n] of one point, float64 on the CPU


def each_example(
    scene: Scene, points: Sequence[Weights], sample: Sample, bytes_each: int, ledger: Ledger
) -> list[Each]:
    """Loss and error of every example at every point, evaluation mode, no gradients.

    A point's numbers do not depend on what else is evaluated, unless the scene is stacked; then
    they agree to rounding.
    """
    ledger.forward(sample.size, len(points))
    with torch.no_grad():
        if scene.stacked and len(points) > 1:
            return [
                pair
                for stacked in _stacks(scene, points)
                for pair in _stack(scene, stacked, sample, bytes_each)
            ]
        at_once = max(1, scene.budget.batch // bytes_each)
        return [_one(scene, weights, sample, at_once) for weights in points]


def _one(scene: Scene, weights: Weights, sample: Sample, at_once: int) -> Each:
    held = dict(weights)  # a point on a line is made here, once
    parts = [_batch(scene, held, batch) for batch in sample.batches(at_once)]
    losses, errors = zip(*parts, strict=True)
    return _wide(torch.cat(losses)), _wide(torch.cat(errors))


def _batch(scene: Scene, weights: Weights, batch: Batch) -> Each:
    outputs = scene.outputs(weights, batch.inputs)
    objective = scene.objective
    return objective.losses(outputs, batch.targets), objective.errors(outputs, batch.targets)


def _stacks(scene: Scene, points: Sequence[Weights]) -> Iterator[dict[str, Tensor]]:
    """The points in stacks [k, ...] that fit the budget."""
    size = sum(tensor.nbytes for tensor in points[0].values())
    together = max(1, scene.budget.batch // (2 * max(1, size)))
    for start in range(0, len(points), together):
        some = [dict(point) for point in points[start : start + together]]
        yield {name: torch.stack([point[name] for point in some]) for name in some[0]}


def _stack(scene: Scene, stacked: dict[str, Tensor], sample: Sample, bytes_each: int) -> list[Each]:
    count = len(next(iter(stacked.values())))
    at_once = max(1, scene.budget.batch // (count * bytes_each))
    parts: list[Each] = []
    for batch in sample.batches(at_once):
        # the default binds this round's batch
        def run(weights: dict[str, Tensor], batch: Batch = batch) -> Each:
            return _batch(scene, weights, batch)

        parts.append(torch.vmap(run)(stacked))
    losses, errors = (_wide(torch.cat(part, dim=1)) for part in zip(*parts, strict=True))
    return list(zip(losses, errors, strict=True))


def _wide(each: Tensor) -> Tensor:
    return each.cpu().double()  # not all devices have doubles
