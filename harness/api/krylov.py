"""What a probe knows of a matrix at a point: eigenvalues, densities, traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Eigenvalues:
    """Eigenvalues, largest first, and how well each is known (float64, on the CPU).

    `residuals` are ||Hv - lambda v|| / |lambda| (relative to the largest |lambda| where lambda
    itself is below the rounding noise of the precision). `products` is the number of Hessian
    products in the space they were read from.
    """

    values: Tensor
    residuals: Tensor
    products: int
    converged: bool


class Krylov(Protocol):
    """A Krylov space of the Hessian at one point; it grows on demand and is shared by metrics."""

    @property
    def products(self) -> int:
        """Hessian products that the space has cost so far."""

    def top(
        self, count: int, *, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> Eigenvalues:
        """The `count` largest eigenvalues, by magnitude or by value (with multiplicity).

        Grows the space until every residual is at most `tolerance`, or to `products` products.
        Where memory does not hold so many vectors of length P, Lanczos restarts from the best ones:
        that takes more products, and the residuals are as true.
        """

    def directions(
        self, count: int, *, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> Tensor:
        """Unit eigenvectors [count, P] of the eigenvalues that `top` gives, in its order."""

    def density(self, steps: int = 80, run: int = 0) -> tuple[Tensor, Tensor]:
        """Nodes and weights [m <= steps] of the spectrum as one random unit vector v sees it.

        sum_k weight_k f(node_k) = v'f(H)v, exactly for polynomials f up to degree 2m - 1; its mean
        over runs is an unbiased estimate of tr f(H) / P. The weights sum to 1. Run 0 is the space
        that eigenvalues are read from; others start from vectors of their own. float64, on the
        CPU; NaN where the point has diverged.
        """

    def trace_samples(self, count: int, sketch: int = 0) -> Tensor:
        """Independent unbiased estimates [count] of the trace (float64, on the CPU).

        Hutchinson: P v'Hv, one product each, the first being the start of the space. With a
        sketch of so many products of the space, only what lies outside it is sampled (Hutch++).
        They share products with `top` and `density`.
        """

    def module_traces(self, count: int, sketch: int = 0) -> Tensor:
        """What the modules (`Probe.modules`) have of these estimates [count, modules].

        Unbiased estimates of the traces of the modules' own blocks; each row sums to the estimate
        of the whole. They cost no products beyond those of `trace_samples`. NaN, of one or all
        columns, where the point has diverged.
        """
