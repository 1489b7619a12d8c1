"""Losses and errors at many weights on the same examples."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from harness.api.contexts import Weights
from harness.api.errors import HarnessError
from harness.measure.data import Batch, Sample
from harness.measure.layout import laid_out
from harness.measure.ledger import Ledger
from harness.measure.lending import lent_outputs
from harness.measure.scene import Scene

Each = tuple[Tensor, Tensor]  # losses [n] and errors [n] of one point, float64 on the CPU
Read = Callable[[Tensor, Batch], tuple[Tensor, ...]]  # logits of a batch to numbers per example


def each_example(
    scene: Scene, points: Sequence[Weights], sample: Sample, bytes_each: int, ledger: Ledger
) -> list[Each]:
    """Loss and error of every example at every point, evaluation mode, no gradients.

    A point's numbers do not depend on what else is evaluated, unless the scene is stacked; then
    they agree to rounding.
    """

    def read(found: Tensor, batch: Batch) -> tuple[Tensor, ...]:
        objective = scene.objective
        return objective.losses(found, batch.targets), objective.errors(found, batch.targets)

    found = _passes(scene, points, sample, bytes_each, read)
    ledger.forward(sample.size, len(points))
    return [(_wide(losses), _wide(errors)) for losses, errors in found]


def each_logits(
    scene: Scene, points: Sequence[Weights], sample: Sample, bytes_each: int, ledger: Ledger
) -> list[Tensor]:
    """The network's outputs [n, ...] at every point, evaluation mode, on the CPU."""
    found = _passes(scene, points, sample, bytes_each, lambda outputs, _: (outputs,))
    ledger.forward(sample.size, len(points))
    for (outputs,) in found:
        if outputs.shape[:1] != (sample.size,):
            raise HarnessError("the network gives no logits: one row per example is wanted")
    return [outputs.cpu() for (outputs,) in found]


def response(scene: Scene, weights: Weights, sample: Sample, ledger: Ledger) -> Tensor | None:
    """The outputs for one input of ones, shaped as an example of the sample; None for tokens."""
    inputs = sample.batch(0, 1).inputs
    if not all(tensor.is_floating_point() for tensor in inputs.values()):
        return None
    ledger.forward(1)
    with torch.no_grad():
        ones = {name: torch.ones_like(tensor) for name, tensor in inputs.items()}
        return scene.outputs(dict(weights), ones).reshape(-1).cpu()


def _passes(
    scene: Scene, points: Sequence[Weights], sample: Sample, bytes_each: int, read: Read
) -> list[tuple[Tensor, ...]]:
    with torch.no_grad():
        if scene.stacked and len(points) > 1:
            return [
                parts
                for stacked in _stacks(scene, points)
                for parts in _stack(scene, stacked, sample, bytes_each, read)
            ]
        at_once = max(1, scene.budget.batch // bytes_each)
        return [_one(scene, weights, sample, at_once, read) for weights in points]


def _one(
    scene: Scene, weights: Weights, sample: Sample, at_once: int, read: Read
) -> tuple[Tensor, ...]:
    held = laid_out(weights, sample.channels_last)  # a point on a line is made here, once
    parts = [
        read(lent_outputs(scene, held, batch.inputs, lent=sample.lent), batch)
        for batch in sample.batches(at_once)
    ]
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))


def _stacks(scene: Scene, points: Sequence[Weights]) -> Iterator[dict[str, Tensor]]:
    """The points in stacks [k, ...] that fit the budget."""
    size = sum(tensor.nbytes for tensor in points[0].values())
    together = max(1, scene.budget.batch // (2 * max(1, size)))
    for start in range(0, len(points), together):
        some = [dict(point) for point in points[start : start + together]]
        yield {name: torch.stack([point[name] for point in some]) for name in some[0]}


def _stack(
    scene: Scene, stacked: dict[str, Tensor], sample: Sample, bytes_each: int, read: Read
) -> list[tuple[Tensor, ...]]:
    count = len(next(iter(stacked.values())))
    at_once = max(1, scene.budget.batch // (count * bytes_each))
    parts: list[tuple[Tensor, ...]] = []
    for batch in sample.batches(at_once):
        # the default binds this round's batch
        def run(weights: dict[str, Tensor], batch: Batch = batch) -> tuple[Tensor, ...]:
            return read(scene.outputs(weights, batch.inputs), batch)

        parts.append(torch.vmap(run)(stacked))
    wholes = [torch.cat(part, dim=1) for part in zip(*parts, strict=True)]
    return list(zip(*wholes, strict=True))


def _wide(each: Tensor) -> Tensor:
    return each.cpu().double()  # not all devices have doubles
