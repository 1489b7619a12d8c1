"""Gradients and Hessian-vector products of the mean loss over a sample, evaluation mode.

Every example weighs 1/N, also those of a short last batch: batches add up sums, not means.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from harness.api.contexts import Weights
from harness.measure.chunks import Chunks
from harness.measure.data import (
    Batch,
    Sample,
    bytes_per_graph,
    differentiable,
    twice_differentiable,
)
from harness.measure.ledger import Ledger
from harness.measure.parameters import parameter_names
from harness.measure.scene import Scene


class Curvature:
    """Derivatives of the mean loss at one point over one sample.

    The graph of the gradient is built once where it fits the budget, and for as many examples as
    do: through it a product costs 1 to 2 gradients. Where it is built anew, one gradient more,
    for one vector or a block of them.
    """

    def __init__(self, scene: Scene, weights: Weights, sample: Sample, bytes_each: int) -> None:
        self._scene = scene
        self._sample = sample
        self._leaves = differentiable(dict(weights), scene)
        self._wanted = [self._leaves[name] for name in parameter_names(scene)]
        self.size = sum(tensor.numel() for tensor in self._wanted)
        self._at_once = max(1, scene.budget.batch // bytes_each)
        graph = partial(bytes_per_graph, scene, weights, sample)
        self._graphs = Chunks(sample, scene.budget, bytes_each, self._graph, graph)

    @property
    def bytes(self) -> int:
        """Memory of the graphs that are kept, or will be."""
        return self._graphs.bytes

    def gradient(self, ledger: Ledger) -> Tensor:
        """Gradient [P] of the mean loss."""
        ledger.gradient(self._sample.size)
        total = torch.zeros(self.size, dtype=self._wanted[0].dtype, device=self._wanted[0].device)
        for graph in self._graphs.kept or self._plain():
            self._add(total, [part.detach() for part in graph])
        return total

    def product(self, vector: Tensor, ledger: Ledger) -> Tensor:
        """Hv for v [P], or one product per row for v [k, P]."""
        rows = 1 if vector.dim() == 1 else len(vector)
        for _ in range(rows):
            ledger.product(self._sample.size)
        total = torch.zeros_like(vector)
        for graph in self._graphs.each(ledger):
            if vector.dim() == 1:
                self._add(total, self._again(graph, vector))
            elif vector.device.type == "cpu":  # one by one is as fast there
                for row, sums in zip(vector, total, strict=True):
                    self._add(sums, self._again(graph, row))
            else:
                self._add(total, self._again(graph, vector))
        return total

    def _plain(self) -> Iterator[list[Tensor]]:
        for batch in self._sample.batches(self._at_once):
            yield self._grads(batch, create_graph=False)

    def _graph(self, batch: Batch) -> list[Tensor]:
        return self._grads(batch, create_graph=True)

    def _grads(self, batch: Batch, *, create_graph: bool) -> list[Tensor]:
        """The batch's part of the gradient of the mean: sum of its losses over all N."""
        with torch.enable_grad(), twice_differentiable():
            outputs = self._scene.outputs(self._leaves, batch.inputs)
            losses = self._scene.objective.losses(outputs, batch.targets)
            loss = losses.sum() / self._sample.size
            if not loss.requires_grad:
                return [torch.zeros_like(tensor) for tensor in self._wanted]
            return list(
                torch.autograd.grad(
                    loss, self._wanted, create_graph=create_graph, materialize_grads=True
                )
            )

    def _again(self, grads: list[Tensor], vector: Tensor) -> list[Tensor]:
        """Differentiate <grads, vector>; a part that is constant contributes nothing."""
        directions = self._split(vector)
        pairs = [(g, v) for g, v in zip(grads, directions, strict=True) if g.requires_grad]
        if not pairs:
            return [torch.zeros_like(v) for v in directions]
        moving, along = zip(*pairs, strict=True)
        second = torch.autograd.grad(
            moving,
            self._wanted,
            grad_outputs=along,
            retain_graph=True,
            is_grads_batched=vector.dim() == 2,
            allow_unused=True,
            materialize_grads=False,
        )
        return [
            torch.zeros_like(v) if part is None else part
            for part, v in zip(second, directions, strict=True)
        ]

    def _split(self, vector: Tensor) -> list[Tensor]:
        sizes = [tensor.numel() for tensor in self._wanted]
        return [
            part.reshape((*vector.shape[:-1], *tensor.shape))  # a scalar's shape is ()
            for part, tensor in zip(torch.split(vector, sizes, -1), self._wanted, strict=True)
        ]

    def _add(self, total: Tensor, parts: list[Tensor]) -> None:
        """Add parts to a total [..., P], each in its place: no copy of all of them."""
        for place, part in zip(self._split(total), parts, strict=True):
            place += part
