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

    def inside(self, coordinates: Tensor, beyond: Tensor) -> Tensor:
        """What v'Hv - (Pv)'H(Pv) is, for P the projection off the segment's m vectors.

        `coordinates` [m] are v's in them, `beyond` the one along the vector that comes next.
        """
        image = self.matrix().to(coordinates) @ coordinates
        last = 0.0 if self.closed else self.betas[-1]
        return coordinates @ image + 2 * last * coordinates[-1] * beyond

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

    def directions(self, rows: Tensor, wanted: int, by: Literal["magnitude", "value"]) -> Tensor:
        """Unit Ritz vectors [wanted, n] of the `wanted` largest eigenvalues, from the basis."""
        start, values, found = 0, [], []
        for segment in self.segments:
            nodes, vectors = torch.linalg.eigh(segment.matrix())
            basis = rows[start : start + len(nodes)]
            best = rank(nodes, by).argsort(descending=True, stable=True)[:wanted]
            values.append(nodes[best])
            found.append(vectors[:, best].T.to(basis) @ basis)
            start += len(nodes)
        order = rank(torch.cat(values), by).argsort(descending=True, stable=True)[:wanted]
        return torch.cat(found)[order.to(rows.device)]

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


def rank(values: Tensor, by: Literal["magnitude", "value"]) -> Tensor:
    """What eigenvalues are ordered by."""
    return values.abs() if by == "magnitude" else values
