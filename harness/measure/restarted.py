"""Thick-restart Lanczos: eigenvalues from as many basis vectors as there is memory for.

A full basis is replaced by the Ritz vectors of the best Ritz values and the residual's direction,
which it shares with all of them: H U = U diag(theta) + q s' with s = beta (last entries of the
eigenvectors of T). From there Lanczos goes on, reorthogonalised against all that is kept (Wu and
Simon 2000, SIAM J. Matrix Anal. Appl. 22, 602). Residuals are beta |last entry|, as without
restarts.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from harness.api.contexts import Eigenvalues
from harness.measure.basis import Basis
from harness.measure.segments import Known, Noise, Want, blocks, rank

LEAST = 4  # vectors beyond those that are wanted


class Restarted:
    """Goes on from what a space knows, to what is wanted."""

    def __init__(
        self,
        want: Want,
        known: Known,
        basis: Basis,
        image: Callable[[Tensor], Tensor],
        draw: Callable[[int], Tensor],
    ) -> None:
        self._want = want
        self._image = image
        self._draw = draw
        self._room = min(max(basis.kept, want.count + LEAST), basis.size)
        self._noise = known.floor / known.scale if known.scale else 0.0
        self._scale = known.scale
        self._products = known.products
        self._settled = True
        last = known.segments[-1]
        self._beta = 0.0 if last.closed else last.betas[-1]
        self._matrix = blocks(*(segment.matrix() for segment in known.segments))
        self._basis = Basis(basis.row(0).new_empty(0, basis.size), self._room)
        self._next = basis.row(known.products if self._beta else 0).clone()
        self._finite = True
        self._begin(basis)

    @property
    def bytes(self) -> int:
        """Memory of the basis."""
        return self._basis.bytes

    def run(self) -> None:
        """Until the answer is known, or there are no more products to spend."""
        while self._products < self._want.products and self._finite and not self._answered():
            if len(self._matrix) < self._room:
                self._extend()
            else:
                self._begin(self._basis)
                self._settled = True

    def read(self) -> Eigenvalues:
        """The eigenvalues, as well as they are known."""
        values, residuals, _ = self._pairs()
        if not self._finite:
            values = torch.full_like(values, float("nan"))
            residuals = values
        converged = self._finite and self._answered()
        noise = Noise(self._noise * self._scale, self._scale)
        return noise.read(values, residuals, self._products, converged=converged)

    def directions(self) -> Tensor:
        """Unit eigenvectors [count, n], in the order of the eigenvalues."""
        vectors = self._pairs()[2].T
        found = torch.stack([self._basis.combined(vector) for vector in vectors])
        return found if self._finite else torch.full_like(found, float("nan"))

    def _begin(self, basis: Basis) -> None:
        """Keep the best Ritz vectors of a basis, and the next vector of the recurrence."""
        count = len(self._matrix)
        values, vectors = torch.linalg.eigh(self._matrix)
        fits = max(self._want.count, self._room - max(3, self._room // 4))
        best = rank(values, self._want.by).argsort(descending=True, stable=True)
        best = best[: min(fits, self._room - 1, count)]
        basis.recombined(vectors[:, best].T, self._basis)
        self._matrix = torch.diag(values[best])
        self._spokes = self._beta * vectors[-1, best]
        if self._beta == 0.0:
            self._next = self._basis.fresh(self._draw)

    def _extend(self) -> None:
        """One more product."""
        image = self._image(self._next)
        norm = float(image.norm())
        self._products += 1
        self._finite = norm < float("inf")
        if not self._finite:
            return
        self._scale = max(self._scale, norm)
        alpha = float(image @ self._next)
        self._basis.add(self._next)
        self._matrix = blocks(self._matrix, torch.tensor([[alpha]], dtype=torch.float64))
        self._matrix[-1, :-1] = self._matrix[:-1, -1] = self._spokes
        image = self._basis.orthogonal(image)
        self._beta = float(image.norm())
        if self._beta <= self._noise * self._scale:  # invariant: other copies lie elsewhere
            self._beta = 0.0
            self._settled = False
            if len(self._matrix) < self._basis.size:
                self._next = self._basis.fresh(self._draw)
        else:
            self._next = image / self._beta
        self._spokes = torch.zeros(len(self._matrix), dtype=torch.float64)
        self._spokes[-1] = self._beta

    def _pairs(self) -> tuple[Tensor, Tensor, Tensor]:
        """The best Ritz values, their residuals, and their coordinates [m, count]."""
        values, vectors = torch.linalg.eigh(self._matrix)
        best = rank(values, self._want.by).argsort(descending=True, stable=True)
        best = best[: self._want.count]
        floor = self._noise * self._scale
        residuals = (vectors[:, best].T @ self._spokes).abs().clamp(min=floor)
        return values[best], residuals, vectors[:, best]

    def _answered(self) -> bool:
        values, residuals, _ = self._pairs()
        if len(self._matrix) == self._basis.size:
            return True
        if len(values) < self._want.count or not self._settled:
            return False
        floor = self._noise * self._scale
        allowed = (self._want.tolerance * values.abs()).clamp(min=floor)
        return bool((residuals <= allowed).all())
