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
from dataclasses import replace
from typing import Literal

import torch
from torch import Generator, Tensor

from harness.api.contexts import Eigenvalues
from harness.measure.basis import Basis
from harness.measure.inside import Inside
from harness.measure.restarted import Restarted
from harness.measure.segments import Known, Segment, Want

NOISE = 10.0  # rounding of a product, in units of eps * ||H||
WIDE_BYTES = 2**30  # a basis up to this size is kept in float64
Parts = Callable[[Tensor], Tensor]  # sums [modules] of a vector [n] over modules


def wide(size: int, dtype: torch.dtype, device: torch.device) -> torch.dtype:
    """What the vectors of a basis are kept in."""
    narrow = device.type == "mps" or 8 * size * 100 > WIDE_BYTES
    return dtype if narrow else torch.float64


class KrylovSpace:
    """A Krylov space of a symmetric operator on R^n that grows on demand.

    The operator's own precision decides what counts as noise; recurrence and basis are float64
    where the device has it and the memory allows. With `room` only so many basis vectors are kept,
    and the last two. Beyond them the recurrence goes on for densities, where a ghost shares the
    weight of the eigenvalue it repeats; eigenvalues come from restarts (`restarted.py`).
    """

    def __init__(
        self,
        product: Callable[[Tensor], Tensor],
        size: int,
        generator: Generator,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | None = None,
        room: int | None = None,
        parts: Parts | None = None,
    ) -> None:
        device = device or torch.device("cpu")
        self._wide = wide(size, dtype, device)
        self._multiply = product
        self._size = size
        self._generator = generator
        self._dtype = dtype
        self._room = room if room is not None and room < size else None
        self._parts = parts
        self._basis = Basis(torch.empty(0, size, dtype=self._wide, device=device), self._room)
        self._eps = torch.finfo(dtype).eps
        self._scales: list[float] = []  # the largest ||Hv|| up to each product
        self._segments: list[Segment] = []
        self._finite = True
        self._first: Tensor | None = None
        self._restarted: tuple[Want, Restarted] | None = None
        self._answers: dict[Want, Eigenvalues] = {}

    @property
    def size(self) -> int:
        """Dimension n of the space that the operator works on."""
        return self._size

    @property
    def products(self) -> int:
        """Products that the space has cost so far."""
        return sum(len(segment.alphas) for segment in self._segments)

    @property
    def bytes(self) -> int:
        """Memory of the basis."""
        return self._basis.bytes + (self._restarted[1].bytes if self._restarted else 0)

    @property
    def reach(self) -> int:
        """Products whose vectors are all kept."""
        return self._size if self._room is None else self._room - 1

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
        want = Want(min(count, self._size), by, tolerance, products)
        known, converged = self._settled(want)
        if known is None:
            return _nothing(want.count, self.products)
        if converged or products <= self.reach:
            return known.read(want.count, by, converged=converged)
        if want not in self._answers:
            self._answers[want] = self._further(want, known).read()
        kept = self._answers[want]  # whoever asks may change what he is given
        return replace(kept, values=kept.values.clone(), residuals=kept.residuals.clone())

    def directions(
        self, count: int, *, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> Tensor:
        """Unit eigenvectors [count, n] of the eigenvalues that `top` gives, in its order."""
        want = Want(min(count, self._size), by, tolerance, products)
        known, converged = self._settled(want)
        if known is None:
            return torch.full((want.count, self._size), float("nan"), dtype=self._wide)
        if converged or products <= self.reach:
            rows = known.directions(want.count, by)
            return torch.stack([self._basis.combined(row) for row in rows])
        return self._further(want, known).directions()

    def _settled(self, want: Want) -> tuple[Known | None, bool]:
        """What is known after the first product that answers, or after so many; and whether."""
        for taken in range(1, max(min(want.products, self.reach), 1) + 1):
            if self.products < taken:
                self.extend()
            if not self._finite and self.products < taken:
                return None, False
            known = self._known(taken)
            if known.answered(want):
                return known, True
        return known, False

    def _further(self, want: Want, known: Known) -> Restarted:
        """The restarted iteration from what is kept: a function of that and of what is wanted."""
        if self._restarted is None or self._restarted[0] != want:
            self._restarted = None  # before the next takes memory
            draws = torch.Generator().manual_seed(self._generator.initial_seed() + 1)
            begun = Restarted(want, known, self._basis, self._image, lambda n: _draw(n, draws))
            self._restarted = want, begun
            begun.run()
        return self._restarted[1]

    def start(self) -> Tensor:
        """The random unit vector that the space begins with."""
        if not self._segments:
            self._open()
        return self._basis.row(0)

    def diagonal(self) -> Tensor | None:
        """The start's n v_i (Hv)_i, summed by module; None before the first product."""
        return self._first

    def first(self, steps: int) -> Segment | None:
        """The first segment after at most so many products; None where one is not finite."""
        while self.products < steps and not (self._segments and self._segments[0].closed):
            if not self.extend():
                return None
        return self._segments[0].first(steps)

    def inside(self, products: int) -> Inside | None:
        """What the space knows of H after so many products, or those that it has room for.

        None where a product is not finite.
        """
        products = min(products, self.reach)
        while self.products < products:
            if not self.extend():
                return None
        return Inside(self._known(products), self._basis, self._parts)

    def extend(self) -> bool:
        """One more product; False where there is none: R^n is exhausted, or it is not finite."""
        if self.products >= self._size:
            return False
        if not self._segments or self._segments[-1].closed:
            self._open()
        segment, last = self._segments[-1], self._basis.last()
        image = self._image(last)
        norm = float(image.norm())
        if not norm < float("inf"):
            self._finite = False
            return False
        if self._parts is not None and self._first is None:
            self._first = self._parts(last * image) * self._size
        self._scales.append(max(norm, self._scales[-1] if self._scales else 0.0))
        alpha = float(image @ last)
        image = image - alpha * last
        if segment.betas:
            image -= segment.betas[-1] * self._basis.before_last()
        image = self._basis.orthogonal(image)
        beta = float(image.norm())
        segment.alphas.append(alpha)
        segment.betas.append(beta)
        segment.closed = beta <= self._floor(self.products) or self.products >= self._size
        if not segment.closed:
            self._basis.add(image / beta)
        return True

    def _image(self, vector: Tensor) -> Tensor:
        return self._multiply(vector.to(self._dtype)).to(self._wide)

    def _open(self) -> None:
        self._segments.append(Segment())
        self._basis.add(self._basis.fresh(lambda n: _draw(n, self._generator)))

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


def _draw(size: int, generator: Generator) -> Tensor:
    return torch.randn(size, generator=generator, dtype=torch.float64)


def _nothing(count: int, products: int) -> Eigenvalues:
    unknown = torch.full((count,), float("nan"), dtype=torch.float64)
    return Eigenvalues(unknown, unknown.clone(), products, converged=False)
