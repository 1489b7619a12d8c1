"""Lanczos with full reorthogonalisation: one Krylov space for all who ask about one Hessian.

From a random unit vector q1, each product extends an orthonormal basis Q with H Q = Q T + r e',
T tridiagonal. Eigenvalues of T (Ritz values) approximate those of H from the outside in; the pair
(theta, Qy) has the residual ||H Qy - theta Qy|| = beta |last entry of y|: known without another
product. Reorthogonalising against the whole basis keeps rounding from finding an eigenvalue twice
("ghosts"). Where the space is invariant (beta vanishes *relative to* ||H||), it holds one vector
of every distinct eigenvalue; a new random vector orthogonal to it opens another segment, which
finds the second copies. Golub and Van Loan, Matrix Computations, chapter 10.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Generator, Tensor

from harness.api.contexts import Eigenvalues

NOISE = 10.0  # rounding of a product, in units of eps * ||H||
WIDE_BYTES = 2**30  # a basis up to this size is kept in float64


@dataclass
class Segment:
    """One run of the three-term recurrence; `closed` once its space is invariant."""

    alphas: list[float] = field(default_factory=list)
    betas: list[float] = field(default_factory=list)
    closed: bool = False

    def first(self, products: int) -> "Segment":
        """The segment as it was after so many of its products."""
        whole = products >= len(self.alphas)
        return Segment(self.alphas[:products], self.betas[:products], self.closed and whole)

    def pairs(self, floor: float) -> tuple[Tensor, Tensor]:
        """Ritz values and absolute residuals (at least the rounding noise)."""
        middle = torch.tensor(self.alphas, dtype=torch.float64)
        beside = torch.tensor(self.betas[: len(self.alphas) - 1], dtype=torch.float64)
        matrix = torch.diag(middle) + torch.diag(beside, 1) + torch.diag(beside, -1)
        values, vectors = torch.linalg.eigh(matrix)
        last = 0.0 if self.closed else self.betas[-1]
        return values, (last * vectors[-1].abs()).clamp(min=floor)


@dataclass(frozen=True)
class Known:
    """What a space tells after some of its products: its segments, and the rounding noise."""

    segments: tuple[Segment, ...]
    floor: float
    scale: float
    size: int

    @property
    def products(self) -> int:
        """Products that it takes to know this."""
        return sum(len(segment.alphas) for segment in self.segments)

    def answered(self, wanted: int, by: Literal["magnitude", "value"], tolerance: float) -> bool:
        """Whether the `wanted` largest eigenvalues are known well enough."""
        values, residuals = self._ordered(by)
        if self.products >= self.size:
            return True
        if len(values) < wanted:
            return False
        allowed = (tolerance * values[:wanted].abs()).clamp(min=self.floor)
        if bool((residuals[:wanted] > allowed).any()):
            return False
        first, last = self.segments[0], self.segments[-1]
        if first is last:  # all of one eigenvalue's copies but one may hide behind a closed space
            return not first.closed
        top, residual = last.pairs(self.floor)
        best = int(_rank(top, by).argmax())
        settled = residual[best] <= max(tolerance * abs(float(top[best])), self.floor)
        kth = _rank(values, by)[wanted - 1]
        return bool(settled) and bool(_rank(top, by)[best] <= kth + allowed[-1])

    def _ordered(self, by: Literal["magnitude", "value"]) -> tuple[Tensor, Tensor]:
        floor = self.floor
        parts = [segment.pairs(floor) for segment in self.segments]
        values = torch.cat([part[0] for part in parts])
        residuals = torch.cat([part[1] for part in parts])
        order = _rank(values, by).argsort(descending=True, stable=True)
        return values[order], residuals[order]

    def read(
        self, wanted: int, by: Literal["magnitude", "value"], *, converged: bool
    ) -> Eigenvalues:
        """The `wanted` largest eigenvalues, as well as they are known."""
        values, residuals = self._ordered(by)
        values, residuals = values[:wanted], residuals[:wanted]
        largest = torch.full_like(values, self.scale)
        size = torch.where(values.abs() > self.floor, values.abs(), largest)
        relative = torch.where(residuals > 0, residuals / size, torch.zeros_like(residuals))
        return Eigenvalues(values, relative, self.products, converged)


class KrylovSpace:
    """A Krylov space of a symmetric operator on R^n that grows on demand.

    The operator's own precision decides what counts as noise; recurrence and basis are float64
    where the device has it and the memory allows.
    """

    def __init__(
        self,
        product: Callable[[Tensor], Tensor],
        size: int,
        generator: Generator,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | None = None,
    ) -> None:
        self._product = product
        self._size = size
        self._generator = generator
        self._dtype = dtype
        self._device = device or torch.device("cpu")
        narrow = self._device.type == "mps" or 8 * size * 100 > WIDE_BYTES
        self._wide = dtype if narrow else torch.float64
        self._rows = torch.empty(0, size, dtype=self._wide, device=self._device)
        self._count = 0
        self._eps = torch.finfo(dtype).eps
        self._scales: list[float] = []  # the largest ||Hv|| up to each product
        self._segments: list[Segment] = []
        self._finite = True

    @property
    def products(self) -> int:
        """Products that the space has cost so far."""
        return sum(len(segment.alphas) for segment in self._segments)

    @property
    def bytes(self) -> int:
        """Memory of the basis."""
        return self._rows.nbytes

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Runs of the recurrence; more than one only after an invariant space."""
        return tuple(self._segments)

    def top(
        self, count: int, *, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> Eigenvalues:
        """The `count` largest eigenvalues; see `harness.api.contexts.Krylov`.

        They are read after the first product that answers the question, also where the space has
        grown since: what one metric reads does not depend on what others asked before.
        """
        wanted = min(count, self._size)
        for taken in range(1, max(products, 1) + 1):
            if self.products < taken:
                self.extend()
            if not self._finite and self.products < taken:
                return _nothing(wanted, self.products)
            known = self._known(taken)
            if known.answered(wanted, by, tolerance):
                return known.read(wanted, by, converged=True)
        return known.read(wanted, by, converged=False)

    def extend(self) -> None:
        """One more product. Nothing happens once the space is all of R^n."""
        if self.products >= self._size:
            return
        if not self._segments or self._segments[-1].closed:
            self._segments.append(Segment())
            self._keep(self._fresh())
        segment, basis = self._segments[-1], self._rows[: self._count]
        image = self._product(basis[-1].to(self._dtype)).to(self._wide)
        norm = float(image.norm())
        if not norm < float("inf"):
            self._finite = False
            return
        self._scales.append(max(norm, self._scales[-1] if self._scales else 0.0))
        alpha = float(image @ basis[-1])
        image = image - alpha * basis[-1]
        if segment.betas:
            image -= segment.betas[-1] * basis[-2]
        image = self._orthogonal(image)
        beta = float(image.norm())
        segment.alphas.append(alpha)
        segment.betas.append(beta)
        segment.closed = beta <= self._floor(self.products) or self.products >= self._size
        if not segment.closed:
            self._keep(image / beta)

    def _floor(self, products: int) -> float:
        """Rounding noise of a product. Relative: H = 0 gives 0, 1e-9 H behaves like H."""
        return NOISE * self._eps * self._scales[products - 1]

    def _known(self, products: int) -> Known:
        """What was known after the first products, however far the space has grown since."""
        segments, left = [], products
        for segment in self._segments:
            if left > 0:
                segments.append(segment.first(left))
                left -= len(segment.alphas)
        scale = self._scales[products - 1]
        return Known(tuple(segments), self._floor(products), scale, self._size)

    def _fresh(self) -> Tensor:
        """A random unit vector orthogonal to the basis."""
        draw = torch.randn(self._size, generator=self._generator, dtype=torch.float64)
        vector = draw.to(self._wide).to(self._device)
        vector = self._orthogonal(vector / float(vector.norm()))
        return vector / float(vector.norm())

    def _keep(self, vector: Tensor) -> None:
        if self._count == len(self._rows):
            more = self._rows.new_empty(max(8, self._count // 2), self._size)
            self._rows = torch.cat([self._rows, more])
        self._rows[self._count] = vector
        self._count += 1

    def _orthogonal(self, vector: Tensor) -> Tensor:
        """The part outside the basis: Gram-Schmidt, again where it took much away."""
        basis = self._rows[: self._count]
        before, norm = float("inf"), float(vector.norm())
        for _ in range(3):
            if norm >= 0.7 * before or self._count == 0:
                break
            vector = vector.sub(basis.T @ (basis @ vector))
            before, norm = norm, float(vector.norm())
        return vector


def _rank(values: Tensor, by: Literal["magnitude", "value"]) -> Tensor:
    return values.abs() if by == "magnitude" else values


def _nothing(count: int, products: int) -> Eigenvalues:
    unknown = torch.full((count,), float("nan"), dtype=torch.float64)
    return Eigenvalues(unknown, unknown.clone(), products, converged=False)
