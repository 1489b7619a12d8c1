"""Products with Fisher and Gauss-Newton matrices: J' M J v / N, J what the parameters move.

ggn: J is the Jacobian of the outputs, M the Hessian of an example's loss by them. true: M is the
covariance of the score under the model's own predictions, diag(p) - pp', which is the ggn of
cross-entropy and asks for no labels. empirical: J is the Jacobian of the losses, M = 1, so that
the matrix is the mean of g_i g_i' over the examples (Kunstner et al. 2019, arXiv 1905.12558).
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

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

Kind = Literal["true", "empirical", "ggn"]
Linear = Callable[[Tensor], Tensor]


class Fisher:
    """v -> J'MJv / N at one point; graphs are kept as far as the budget goes."""

    def __init__(
        self, scene: Scene, weights: Weights, sample: Sample, bytes_each: int, kind: Kind
    ) -> None:
        self._scene = scene
        self._sample = sample
        self._kind = kind
        self._leaves = differentiable(dict(weights), scene)
        self._wanted = [self._leaves[name] for name in parameter_names(scene)]
        graph = partial(bytes_per_graph, scene, weights, sample)
        self._maps = Chunks(sample, scene.budget, bytes_each, self._linear, graph)

    def product(self, vector: Tensor, ledger: Ledger) -> Tensor:
        """The product with v [P], or with each row of v [k, P]."""
        rows = vector[None] if vector.dim() == 1 else vector
        for _ in rows:
            ledger.gradient(self._sample.size)
        total = torch.zeros_like(rows)
        for linear in self._maps.each(ledger):
            for row, sums in zip(rows, total, strict=True):
                sums += linear(row)
        return total.reshape(vector.shape)

    def _linear(self, batch: Batch) -> Linear:
        """The batch's part of the product. Jv is the derivative by u of <J'u, v>."""
        with torch.enable_grad(), twice_differentiable():
            outputs = self._scene.outputs(self._leaves, batch.inputs)
            if self._kind == "empirical":
                outputs = self._scene.objective.losses(outputs, batch.targets)
            middle = self._middle(outputs.detach(), batch)
            probe = torch.zeros_like(outputs, requires_grad=True)
            pulled = torch.autograd.grad(
                outputs, self._wanted, probe, create_graph=True, materialize_grads=True
            )

        def product(vector: Tensor) -> Tensor:
            sizes = [tensor.numel() for tensor in self._wanted]
            split = zip(pulled, torch.split(vector, sizes), strict=True)
            pairs = [(g, part.reshape(g.shape)) for g, part in split if g.requires_grad]
            pushed = torch.autograd.grad(
                [g for g, _ in pairs], probe, [part for _, part in pairs], retain_graph=True
            )[0]
            back = torch.autograd.grad(
                outputs, self._wanted, middle(pushed), retain_graph=True, materialize_grads=True
            )
            return torch.cat([part.reshape(-1) for part in back]) / self._sample.size

        return product

    def _middle(self, outputs: Tensor, batch: Batch) -> Linear:
        if self._kind == "empirical":
            return lambda pushed: pushed
        if self._kind == "true":
            chances = outputs.softmax(-1)
            return lambda u: chances * (u - (chances * u).sum(-1, keepdim=True))
        with torch.enable_grad():
            held = outputs.clone().requires_grad_()
            loss = self._scene.objective.losses(held, batch.targets).sum()
            slope = torch.autograd.grad(loss, held, create_graph=True)[0]
        if not slope.requires_grad:
            return torch.zeros_like
        return lambda u: torch.autograd.grad(slope, held, u, retain_graph=True)[0]
