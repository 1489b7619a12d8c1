"""Weight matching: the order of one network's units that brings its weights next to another's.

Coordinate descent of Ainsworth et al. 2022 (arXiv 2209.04836): for one symmetry after the other,
all others fixed, the best order is a linear assignment problem and solved exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from torch import Generator, Tensor

    from harness.api.contexts import Weights
    from harness_landscape.permutations import Units

GAIN = 1e-12  # of the largest inner product there could be: what counts as one


@dataclass(frozen=True)
class Matching:
    """The second network's weights in their new order, and how that came about.

    `objectives` are the inner products with the first network at the start and after every step
    that changed an order; `sweeps` counts the sweeps with such a step. `moved` is the share of
    units that left their place.
    """

    weights: Weights
    orders: dict[str, Tensor]
    objectives: tuple[float, ...]
    sweeps: int
    converged: bool

    @property
    def moved(self) -> float:
        """Share of all units that are not where they were."""
        import torch

        away = [order != torch.arange(len(order)) for order in self.orders.values()]
        return float(torch.cat(away).double().mean())


@dataclass(frozen=True)
class Search:
    """Two networks to bring together: `names` are the parameters that are compared."""

    first: Weights
    second: Weights
    names: tuple[str, ...]
    symmetries: tuple[Units, ...]
    generator: Generator

    def best(self, restarts: int, sweeps: int) -> Matching:
        """The best of several descents: from the order as it is, and from drawn ones."""
        start = {units.name: _as_it_is(units.count) for units in self.symmetries}
        found = [self._descend(self.second, start, sweeps)]
        for _ in range(restarts - 1):
            weights, orders = self.second, {}
            for units in self.symmetries:
                orders[units.name] = units.drawn(self.generator)
                weights = units.permuted(weights, orders[units.name])
            found.append(self._descend(weights, orders, sweeps))
        return max(found, key=lambda matching: matching.objectives[-1])

    def similarity(self, units: Units, weights: Weights) -> Tensor:
        """[units, units]: what the inner product gains from unit v of `weights` at the place u."""
        import torch

        total = torch.zeros(units.count, units.count, dtype=torch.float64)
        for name, dimension, entries in units.along:
            if name in self.names:
                first, second = (
                    _rows(each[name], dimension, entries) for each in (self.first, weights)
                )
                total += (first @ second.T).cpu()
        return total

    def inner(self, weights: Weights, names: Sequence[str] | None = None) -> float:
        """Inner product of some parameters (all compared ones) with the first network's."""
        chosen = self.names if names is None else names
        return sum(
            float(_wide(self.first[name]).flatten() @ _wide(weights[name]).flatten())
            for name in chosen
        )

    def _descend(self, weights: Weights, start: dict[str, Tensor], sweeps: int) -> Matching:
        import torch

        orders, least = dict(start), GAIN * self._scale()
        objectives = [self.inner(weights)]
        settled: set[str] = set()  # best as they are, until something beside them changes
        for sweep in range(sweeps):
            before = len(objectives)
            for number in torch.randperm(len(self.symmetries), generator=self.generator).tolist():
                units = self.symmetries[number]
                if units.name in settled:
                    continue
                order, gain = self._step(units, weights)
                settled.add(units.name)
                if gain > least:
                    weights = units.permuted(weights, order)
                    orders[units.name] = orders[units.name][order]
                    objectives.append(objectives[-1] + gain)
                    settled -= self._beside(units)
            done = sweep + (len(objectives) > before)
            if len(settled) == len(self.symmetries):
                return Matching(weights, orders, tuple(objectives), done, converged=True)
        return Matching(weights, orders, tuple(objectives), sweeps, converged=False)

    def _beside(self, units: Units) -> set[str]:
        """Symmetries whose best order may have changed with that of these units."""
        own = {name for name, _, _ in units.along}
        return {
            other.name
            for other in self.symmetries
            if (other is not units or not _linear(units))
            and any(name in own for name, _, _ in other.along)
        }

    def _step(self, units: Units, weights: Weights) -> tuple[Tensor, float]:
        """The best order of one symmetry's units, and what the inner product gains from it."""
        similarity = self.similarity(units, weights)
        order = best_order(similarity, units.group)
        if _linear(units):
            gain = similarity[_as_it_is(units.count), order].sum() - similarity.trace()
            return order, float(gain)
        # one parameter along two axes: the assignment is that of the linearised objective
        names = [name for name in self.names if name in {each for each, _, _ in units.along}]
        after = self.inner(units.permuted(weights, order), names)
        return order, after - self.inner(weights, names)

    def _scale(self) -> float:
        sizes = [
            sum(float(_wide(each[name]).square().sum()) for name in self.names)
            for each in (self.first, self.second)
        ]
        return math.sqrt(sizes[0] * sizes[1])


def best_order(similarity: Tensor, group: int = 1) -> Tensor:
    """The order that makes sum_u similarity[u, order[u]] largest, groups kept together.

    Exact: with groups, the best order within every pair of groups is found first, then the best
    assignment of groups.
    """
    import numpy as np
    import torch

    matrix = similarity.numpy()
    if group == 1:
        return torch.from_numpy(_assigned(matrix))
    count = len(matrix) // group
    blocks = matrix.reshape(count, group, count, group).transpose(0, 2, 1, 3)
    inner = np.array([[_assigned(blocks[i, j]) for j in range(count)] for i in range(count)])
    values = np.take_along_axis(blocks, inner[..., None], axis=3).sum((2, 3))
    groups = _assigned(values)
    within = inner[np.arange(count), groups]
    return torch.from_numpy((groups[:, None] * group + within).reshape(-1))


def _assigned(
    matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    from scipy.optimize import linear_sum_assignment

    _, columns = linear_sum_assignment(matrix, maximize=True)
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = columns
    return found


def _linear(units: Units) -> bool:
    """Whether no parameter has the units along two of its dimensions."""
    dimensions: dict[str, int] = {}
    return all(dimensions.setdefault(name, at) == at for name, at, _ in units.along)


def _rows(tensor: Tensor, dimension: int, entries: Tensor) -> Tensor:
    """[units, everything that belongs to one], as doubles."""
    taken = _wide(tensor.index_select(dimension, entries.flatten())).movedim(dimension, 0)
    return taken.reshape(len(entries), -1)


def _wide(tensor: Tensor) -> Tensor:
    return (tensor.detach().cpu() if tensor.device.type == "mps" else tensor.detach()).double()


def _as_it_is(count: int) -> Tensor:
    import torch

    return torch.arange(count)
