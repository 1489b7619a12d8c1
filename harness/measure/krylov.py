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
from itertools import accumulate, pairwise
from typing import Literal

import torch
from torch import Generator, Tensor

from harness.api.contexts import Eigenvalues
from harness.measure.segments import Known, Segment

NOISE = 10.0  # rounding of a product, in units of eps * ||H||
WIDE_BYTES = 2**30  # a basis up to this size is kept in float64


class KrylovSpace:
    """A Krylov space of a symmetric operator on R^n that grows on demand.

    The operator's own precision decides what counts as noise; recurrence and basis are float64
    where the device has it and the memory allows. With a `window` only so many basis vectors are
    kept: enough for densities, where a ghost shares the weight of the eigenvalue it repeats.
    """

    def __init__(
        self,
        product: Callable[[Tensor], Tensor],
        size: int,
        generator: Generator,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | None = None,
        window: int | None = None,
    ) -> None:
        self._window = window
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
        known, converged = self._settled(wanted, by, tolerance, products)
        if known is None:
            return _nothing(wanted, self.products)
        return known.read(wanted, by, converged=converged)

    def directions(
        self, count: int, *, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> Tensor:
        """Unit eigenvectors [count, n] of the eigenvalues that `top` gives, in its order."""
        wanted = min(count, self._size)
        known, _ = self._settled(wanted, by, tolerance, products)
        if known is None:
            return torch.full((wanted, self._size), float("nan"), dtype=self._wide)
        return known.directions(self._rows, wanted, by)

    def _settled(
        self, wanted: int, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> tuple[Known | None, bool]:
        """What is known after the first product that answers, or after so many; and whether."""
        for taken in range(1, max(products, 1) + 1):
            if self.products < taken:
                self.extend()
            if not self._finite and self.products < taken:
                return None, False
            known = self._known(taken)
            if known.answered(wanted, by, tolerance):
                return known, True
        return known, False

    def start(self) -> Tensor:
        """The random unit vector that the space begins with."""
        if not self._segments:
            self._open()
        return self._rows[0]

    def first(self, steps: int) -> Segment | None:
        """The first segment after at most so many products; None where one is not finite."""
        while self.products < steps and not (self._segments and self._segments[0].closed):
            if not self.extend():
                return None
        return self._segments[0].first(steps)

    def split(self, products: int) -> tuple[float, Callable[[Tensor], Tensor]] | None:
        """The trace inside the space after so many products, and what it holds of any v'Hv.

        None where a product is not finite.
        """
        products = min(products, self._size)
        while self.products < products:
            if not self.extend():
                return None
        known = self._known(products)
        ends = accumulate([0, *(len(segment.alphas) for segment in known.segments)])
        places = list(pairwise(ends))

        def inside(vector: Tensor) -> Tensor:
            along = self._rows[: known.products + 1] @ vector.to(self._wide)
            along = torch.cat([along.double().cpu(), torch.zeros(1, dtype=torch.float64)])
            parts = zip(known.segments, places, strict=True)
            return torch.stack([one.inside(along[a:b], along[b]) for one, (a, b) in parts]).sum()

        return sum(sum(segment.alphas) for segment in known.segments), inside

    def extend(self) -> bool:
        """One more product; False where there is none: R^n is exhausted, or it is not finite."""
        if self.products >= self._size:
            return False
        if not self._segments or self._segments[-1].closed:
            self._open()
        segment, basis = self._segments[-1], self._rows[: self._count]
        image = self._product(basis[-1].to(self._dtype)).to(self._wide)
        norm = float(image.norm())
        if not norm < float("inf"):
            self._finite = False
            return False
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
        return True

    def _open(self) -> None:
        self._segments.append(Segment())
        self._keep(self._fresh())

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
        if self._window is not None and self._count == self._window:
            self._rows = torch.cat([self._rows[1 : self._count], vector[None]])
            return
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


def _nothing(count: int, products: int) -> Eigenvalues:
    unknown = torch.full((count,), float("nan"), dtype=torch.float64)
    return Eigenvalues(unknown, unknown.clone(), products, converged=False)
