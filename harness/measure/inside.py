"""What a Krylov space knows of its operator: tr H = tr A + tr PHP, A known, P off the space.

H Q = Q T + beta q e' gives A = QTQ' + beta (q_m q' + q q_m') = H - PHP, P = I - QQ': the trace of
A, and its diagonal, are known without another product (Meyer et al. 2021, arXiv 2010.09649).
"""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from harness.measure.basis import Basis
from harness.measure.segments import Known


class Inside:
    """The known part A of an operator, and sums of its diagonal by module."""

    def __init__(
        self, known: Known, basis: Basis, parts: Callable[[Tensor], Tensor] | None
    ) -> None:
        self.trace = known.trace
        self.products = known.products
        self._matrix = known.matrix()
        self._basis = basis
        self._parts = parts

    def form(self, vector: Tensor) -> float:
        """The form v'Av."""
        along = self._along(vector)
        return float(along @ self._matrix @ along)

    def form_by_module(self, vector: Tensor) -> Tensor:
        """The products v_i (Av)_i, summed by module."""
        image = self._basis.combined(self._matrix @ self._along(vector))
        return self._sums(vector * image)

    @cached_property
    def trace_by_module(self) -> Tensor:
        """The diagonal of A, summed by module."""
        total = torch.zeros((), dtype=torch.float64)
        for place in range(len(self._matrix)):
            row = self._basis.row(place)
            weights = self._matrix[place]
            image = weights[place] * row
            if place + 1 < len(self._matrix) and float(weights[place + 1]):
                image = image + 2 * weights[place + 1] * self._basis.row(place + 1)
            total = total + self._sums(row * image)
        return total

    def _along(self, vector: Tensor) -> Tensor:
        basis = self._basis
        return basis.along(vector, len(self._matrix)).double().cpu()

    def _sums(self, vector: Tensor) -> Tensor:
        if self._parts is None:
            raise TypeError("this space knows of no modules")
        return self._parts(vector)
