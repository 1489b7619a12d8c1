"""Gradients of single examples' losses, and their norms without the gradients themselves.

Norms take one forward and one backward pass over the whole batch where all parameters sit in
layers of a known kind (`layers.py`), else they are taken of the gradients.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.func import grad, vmap

from harness.api.contexts import Weights
from harness.compute.calling import places
from harness.measure.data import Batch, Sample, differentiable, twice_differentiable
from harness.measure.layers import known, owns, squares, watched
from harness.measure.ledger import Ledger
from harness.measure.parameters import parameter_names
from harness.measure.scene import Scene

COPIES = 3  # an example's gradient stands in memory so often while it is made
AGREES = 1e-3


class ExampleGradients:
    """Gradients of the losses of single examples at one point, evaluation mode."""

    def __init__(self, scene: Scene, weights: Weights, sample: Sample, bytes_each: int) -> None:
        self._scene = scene
        self._sample = sample
        self._leaves = differentiable(dict(weights), scene)
        self._names = parameter_names(scene)
        wanted = [self._leaves[name] for name in self._names]
        row = sum(tensor.nbytes for tensor in wanted)
        self._rows_at_once = max(1, scene.budget.batch // (bytes_each + COPIES * row))
        self._at_once = max(1, scene.budget.batch // bytes_each)
        self._batched = scene.network.stackable

    def rows(self, ledger: Ledger) -> Iterator[Tensor]:
        """Gradients [b, P] of the examples in order, as many at a time as fit the budget."""
        for batch in self._sample.batches(self._rows_at_once):
            ledger.gradient(batch.size)
            yield self._rows(batch)

    def norms(self, ledger: Ledger) -> Tensor:
        """Squared norms [n] of the gradients, float64 on the CPU."""
        if not self._closed_form(ledger):
            return torch.cat([_squares(rows) for rows in self.rows(ledger)])
        found = []
        for batch in self._sample.batches(self._at_once):
            ledger.gradient(batch.size)
            found.append(self._norms(batch))
        return torch.cat(found)

    def _rows(self, batch: Batch) -> Tensor:
        if self._batched:
            try:
                return self._together(batch)
            except RuntimeError:  # a network may branch on what it is given, or lack a rule
                self._batched = False
        return self._one_by_one(batch)

    def _together(self, batch: Batch) -> Tensor:
        held = {name: self._leaves[name].detach() for name in self._names}
        rest = {n: t for n, t in self._leaves.items() if n not in held}

        def loss(some: dict[str, Tensor], inputs: dict[str, Tensor], target: Tensor) -> Tensor:
            alone = {name: tensor[None] for name, tensor in inputs.items()}
            outputs = self._scene.outputs({**rest, **some}, alone)
            return self._scene.objective.losses(outputs, target[None]).sum()

        with twice_differentiable():
            each = vmap(grad(loss), in_dims=(None, 0, 0))(held, dict(batch.inputs), batch.targets)
        return torch.cat([each[name].reshape(batch.size, -1) for name in self._names], 1)

    def _one_by_one(self, batch: Batch) -> Tensor:
        wanted = [self._leaves[name] for name in self._names]
        rows = []
        for place in range(batch.size):
            inputs = {name: tensor[place : place + 1] for name, tensor in batch.inputs.items()}
            with torch.enable_grad(), twice_differentiable():
                outputs = self._scene.outputs(self._leaves, inputs)
                loss = self._scene.objective.losses(outputs, batch.targets[place : place + 1]).sum()
                parts = torch.autograd.grad(loss, wanted, materialize_grads=True)
            rows.append(torch.cat([part.reshape(-1) for part in parts]))
        return torch.stack(rows)

    def _closed_form(self, ledger: Ledger) -> bool:
        """Whether every parameter trains and sits in a layer of a known kind that runs once.

        A weight may also be used behind its layer's back: one example is tried out both ways.
        """
        module = self._scene.network.module
        where = places(module)
        tied = len(where) != len(set(where.values()))
        frozen = any(not parameter.requires_grad for parameter in module.parameters())
        if tied or frozen or not all(known(part) for part in module.modules() if owns(part)):
            return False
        first = self._sample.batch(0, min(2, self._sample.size, self._rows_at_once))
        ledger.gradient(2 * first.size)
        found, exact = self._norms(first), _squares(self._rows(first))
        return bool(found.numel() == exact.numel()) and torch.allclose(
            found, exact, rtol=AGREES, atol=0, equal_nan=True
        )

    def _norms(self, batch: Batch) -> Tensor:
        with torch.enable_grad(), watched(self._scene.network.module, batch.size) as passages:
            outputs = self._scene.outputs(self._leaves, batch.inputs)
            loss = self._scene.objective.losses(outputs, batch.targets).sum()
            given = [passage.given for passage in passages]
            deltas = torch.autograd.grad(loss, given, materialize_grads=True)
        if len({id(passage.part) for passage in passages}) < len(passages):
            return torch.zeros(0)  # a layer that ran twice: its two gradients are one
        total = torch.zeros(batch.size, dtype=torch.float64)
        for passage, delta in zip(passages, deltas, strict=True):
            if len(delta) != batch.size:
                return torch.zeros(0)
            total += squares(passage, delta).double().cpu()
        return total


def _squares(rows: Tensor) -> Tensor:
    return rows.double().square().sum(1).cpu()
