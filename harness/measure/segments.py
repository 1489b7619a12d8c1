"""What Lanczos leaves behind: a tridiagonal matrix per segment, and what can be read off it."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from harness.api.contexts import Eigenvalues


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

    def quadrature(self) -> tuple[Tensor, Tensor]:
        """Nodes, ascending, and weights of the spectrum as the segment's first vector sees it."""
        values, vectors = torch.linalg.eigh(self.matrix())
        return values, vectors[0] ** 2

    def pairs(self, floor: float) -> tuple[Tensor, Tensor]:
        """Ritz values and absolute residuals (at least the rounding noise)."""
        values, vectors = torch.linalg.eigh(self.matrix())
        last = 0.0 if self.closed else self.betas[-1]
        return values, (last * vectors[-1].abs()).clamp(min=floor)

    def matrix(self) -> Tensor:
        """The tridiagonal matrix T."""
        middle = torch.tensor(self.alphas, dtype=torch.float64)
        beside = torch.tensor(self.betas[: len(self.alphas) - 1], dtype=torch.float64)
        return torch.diag(middle) + torch.diag(beside, 1) + torch.diag(beside, -1)


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

    @property
    def trace(self) -> float:
        """The sum of what H is along the space's vectors."""
        return sum(sum(segment.alphas) for segment in self.segments)

    def matrix(self) -> Tensor:
        """H as the space knows it: in its vectors, and the next one where there is one."""
        whole = blocks(*(segment.matrix() for segment in self.segments))
        last = self.segments[-1]
        if last.closed:
            return whole
        whole = blocks(whole, torch.zeros(1, 1, dtype=torch.float64))
        whole[-1, -2] = whole[-2, -1] = last.betas[-1]
        return whole

    def answered(self, want: "Want") -> bool:
        """Whether the largest eigenvalues are known well enough."""
        wanted, by, tolerance = want.count, want.by, want.tolerance
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
        best = int(rank(top, by).argmax())
        settled = residual[best] <= max(tolerance * abs(float(top[best])), self.floor)
        kth = rank(values, by)[wanted - 1]
        return bool(settled) and bool(rank(top, by)[best] <= kth + allowed[-1])

    def _ordered(self, by: Literal["magnitude", "value"]) -> tuple[Tensor, Tensor]:
        floor = self.floor
        parts = [segment.pairs(floor) for segment in self.segments]
        values = torch.cat([part[0] for part in parts])
        residuals = torch.cat([part[1] for part in parts])
        order = rank(values, by).argsort(descending=True, stable=True)
        return values[order], residuals[order]

    def directions(self, wanted: int, by: Literal["magnitude", "value"]) -> Tensor:
        """Unit Ritz vectors of the `wanted` largest eigenvalues: coordinates [wanted, m]."""
        values, vectors = [], []
        for segment in self.segments:
            nodes, columns = torch.linalg.eigh(segment.matrix())
            best = rank(nodes, by).argsort(descending=True, stable=True)
            values.append(nodes[best])
            vectors.append(columns[:, best])
        order = rank(torch.cat(values), by).argsort(descending=True, stable=True)[:wanted]
        return blocks(*vectors)[:, order].T

    def read(
        self, wanted: int, by: Literal["magnitude", "value"], *, converged: bool
    ) -> Eigenvalues:
        """The `wanted` largest eigenvalues, as well as they are known."""
        values, residuals = self._ordered(by)
        noise = Noise(self.floor, self.scale)
        return noise.read(values[:wanted], residuals[:wanted], self.products, converged=converged)


@dataclass(frozen=True)
class Want:
    """The `count` largest eigenvalues, how exactly, and for how many products at most."""

    count: int
    by: Literal["magnitude", "value"]
    tolerance: float
    products: int


@dataclass(frozen=True)
class Noise:
    """The rounding noise of a product, and the size of the operator."""

    floor: float
    scale: float

    def read(
        self, values: Tensor, residuals: Tensor, products: int, *, converged: bool
    ) -> Eigenvalues:
        """Eigenvalues with residuals relative to them, or to the largest where they are noise."""
        largest = torch.full_like(values, self.scale)
        size = torch.where(values.abs() > self.floor, values.abs(), largest)
        relative = torch.where(residuals > 0, residuals / size, torch.zeros_like(residuals))
        return Eigenvalues(values, relative, products, converged)


def rank(values: Tensor, by: Literal["magnitude", "value"]) -> Tensor:
    """What eigenvalues are ordered by."""
    return values.abs() if by == "magnitude" else values


def blocks(*parts: Tensor) -> Tensor:
    """A matrix with these on its diagonal."""
    whole: Tensor = torch.block_diag(*parts)  # type: ignore[no-untyped-call]  # torch's own
    return whole
