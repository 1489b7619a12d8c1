"""Gradients and Hessian-vector products of the mean loss over a sample, evaluation mode.

Every example weighs 1/N, also those of a short last batch: batches add up sums, not means.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness.api.contexts import Weights
from harness.measure.data import Batch, Sample, differentiable
from harness.measure.ledger import Ledger
from harness.measure.parameters import parameter_names
from harness.measure.scene import Scene

GRAPH = 3  # a graph that can be differentiated again holds about so many times the activations


class Curvature:
    """Derivatives of the mean loss at one point over one sample.

    If everything fits the budget in one batch, the graph of the gradient is built once and kept:
    a product then costs 1.1 to 1.8 gradients. Otherwise each product differentiates twice through
    every batch: 2 to 3 gradients.
    """

    def __init__(self, scene: Scene, weights: Weights, sample: Sample, bytes_each: int) -> None:
        self._scene = scene
        self._sample = sample
        self._leaves = differentiable(dict(weights), scene)
        self._wanted = [self._leaves[name] for name in parameter_names(scene)]
        self.size = sum(tensor.numel() for tensor in self._wanted)
        self._at_once = max(1, scene.budget.batch // bytes_each)
        self.bytes = sample.size * bytes_each * GRAPH
        self._whole = self.bytes <= scene.budget.graph
        self._graph: list[Tensor] | None = None

    def gradient(self, ledger: Ledger) -> Tensor:
        """Gradient [P] of the mean loss."""
        ledger.gradient(self._sample.size)
        if self._graph is not None:
            return self._join(self._graph).detach()
        total = torch.zeros(self.size, dtype=self._wanted[0].dtype, device=self._wanted[0].device)
        for batch in self._sample.batches(self._at_once):
            total += self._join(self._grads(batch, create_graph=False))
        return total

    def product(self, vector: Tensor, ledger: Ledger) -> Tensor:
        """Hv for v [P], or one product per row for v [k, P]."""
        if vector.dim() == 1:
            return self._products(vector, ledger, batched=False)
        if vector.device.type == "cpu":  # one by one is as fast there
            rows = [self._products(row, ledger, batched=False) for row in vector]
            return torch.stack(rows)
        return self._products(vector, ledger, batched=True)

    def _products(self, vector: Tensor, ledger: Ledger, *, batched: bool) -> Tensor:
        rows = len(vector) if batched else 1
        for _ in range(rows):
            ledger.product(self._sample.size)
        directions = self._split(vector)
        if self._whole:
            if self._graph is None:
                ledger.gradient(self._sample.size)
                self._graph = self._grads(
                    self._sample.batch(0, self._sample.size), create_graph=True
                )
            return self._again(self._graph, directions, batched=batched)
        ledger.gradient(self._sample.size)
        total = torch.zeros_like(vector)
        for batch in self._sample.batches(self._at_once):
            grads = self._grads(batch, create_graph=True)
            total += self._again(grads, directions, batched=batched)
        return total

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

    def _again(self, grads: list[Tensor], directions: list[Tensor], *, batched: bool) -> Tensor:
        """Differentiate <grads, directions>; a part that is constant contributes nothing."""
        pairs = [(g, v) for g, v in zip(grads, directions, strict=True) if g.requires_grad]
        if not pairs:
            return self._join([torch.zeros_like(v) for v in directions], batched=batched)
        moving, along = zip(*pairs, strict=True)
        second = torch.autograd.grad(
            moving,
            self._wanted,
            grad_outputs=along,
            retain_graph=True,
            is_grads_batched=batched,
            allow_unused=True,
            materialize_grads=False,
        )
        parts = [
            torch.zeros_like(v) if part is None else part
            for part, v in zip(second, directions, strict=True)
        ]
        return self._join(parts, batched=batched)

    def _split(self, vector: Tensor) -> list[Tensor]:
        sizes = [tensor.numel() for tensor in self._wanted]
        return [
            part.reshape(*vector.shape[:-1], *tensor.shape)
            for part, tensor in zip(torch.split(vector, sizes, -1), self._wanted, strict=True)
        ]

    def _join(self, parts: list[Tensor], *, batched: bool = False) -> Tensor:
        return torch.cat([part.flatten(1) if batched else part.reshape(-1) for part in parts], -1)


@contextmanager
def twice_differentiable() -> Iterator[None]:
    """Attention by plain matrix products: the fused kernels have no second derivative."""
    with sdpa_kernel(SDPBackend.MATH):
        yield
