"""The loss as a look at data asks for it: of one batch of a sample, or of logits of unit norm."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from harness.api.contexts import Weights
from harness.api.looks import Look
from harness.compute.streams import stream
from harness.measure import batchnorm
from harness.measure.data import Sample, differentiable
from harness.measure.ledger import Ledger
from harness.measure.parameters import parameter_names
from harness.measure.scene import Objective, Scene

LEAST = 1e-10  # logits that are all equal have no direction


def batch_of(sample: Sample, look: Look) -> Sample:
    """The sample, or the batch of it that the look is at: drawn from a fixed stream."""
    if look.batch is None:
        return sample
    number, size = look.batch
    order = torch.randperm(sample.size, generator=stream(0, f"probe:batches:{sample.name}"))
    chosen = order[number * size : (number + 1) * size].sort().values
    lengths = None if sample.lengths is None else sample.lengths[chosen]
    if sample.lengths is None:  # places of text are kept where its lengths are
        chosen = chosen.to(sample.source.targets.device)
    ready = sample.ready
    return replace(
        sample,
        name=f"{sample.name}/{number}x{size}",
        size=len(chosen),
        indices=chosen if sample.indices is None else sample.indices[chosen],
        ready=None if ready is None else {name: tensor[chosen] for name, tensor in ready.items()},
        lengths=lengths,
    )


def objective_of(scene: Scene, look: Look) -> Scene:
    """The scene with the loss that the look asks for."""
    if not look.unit_logits:
        return scene
    plain = scene.objective

    def losses(logits: Tensor, targets: Tensor) -> Tensor:
        return plain.losses(unit(logits), targets)

    return replace(scene, objective=Objective(losses=losses, errors=plain.errors))


def unit(logits: Tensor) -> Tensor:
    """Logits [n, c] less their mean over classes, each row of norm 1.

    >>> unit(torch.tensor([[7.0, 1.0]]))
    tensor([[ 0.7071, -0.7071]])
    """
    centred = logits - logits.mean(-1, keepdim=True)
    lengths: Tensor = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
    return centred / lengths.clamp_min(LEAST)


@contextmanager
def statistics_of(scene: Scene, weights: Weights, look: Look) -> Iterator[Weights]:
    """The weights, to be used in the block: with batch norm as the look says."""
    if not look.batch_statistics:
        yield weights
        return
    module = scene.network.module
    own = {name: weights[name].clone() for name, _ in module.named_buffers() if name in weights}
    with batchnorm.training(batchnorm.norms(module)):  # torch writes into buffers: these are copies
        yield {**weights, **own}


def slope(
    scene: Scene, weights: Weights, sample: Sample, bytes_each: int, ledger: Ledger
) -> tuple[float, Tensor]:
    """Mean loss and its gradient [P], from one forward and one backward pass."""
    ledger.gradient(sample.size)
    leaves = differentiable(dict(weights), scene)
    wanted = [leaves[name] for name in parameter_names(scene)]
    gradient = torch.cat([torch.zeros_like(tensor).reshape(-1) for tensor in wanted])
    total = 0.0
    for batch in sample.batches(max(1, scene.budget.batch // bytes_each)):
        with torch.enable_grad():
            outputs = scene.outputs(leaves, batch.inputs)
            losses = scene.objective.losses(outputs, batch.targets)
            part = losses.sum() / sample.size
        total += float(losses.detach().double().sum()) / sample.size
        if part.requires_grad:
            parts = torch.autograd.grad(part, wanted, materialize_grads=True)
            gradient += torch.cat([each.reshape(-1) for each in parts])
    return total, gradient
