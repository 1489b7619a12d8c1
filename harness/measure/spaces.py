"""Krylov spaces that several metrics grow, each paying for what it adds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from harness.api.contexts import Eigenvalues, Weights
from harness.compute.streams import stream
from harness.measure import parameters
from harness.measure.curvature import Curvature
from harness.measure.data import Sample
from harness.measure.fisher import Fisher, Kind
from harness.measure.krylov import KrylovSpace, wide
from harness.measure.ledger import Ledger
from harness.measure.runs import Runs
from harness.measure.view import View

LEAST = 3  # vectors that a space keeps in any case, and the last two
Matrix = Literal["hessian", "ggn", "true", "empirical", "covariance"]


@dataclass
class Payer:
    """Whose ledger the next product goes into."""

    ledger: Ledger


@dataclass(frozen=True)
class SharedSpace:
    """A Krylov space with its runs, and the bytes of the graph that its products come from."""

    runs: Runs
    payer: Payer
    graph: int

    @property
    def bytes(self) -> int:
        """Memory that it holds now, or will with the next product."""
        return self.graph + self.runs.main.bytes


@dataclass(frozen=True)
class PaidSpace:
    """A shared space in the hands of one metric, which pays for what it adds."""

    shared: SharedSpace
    ledger: Ledger

    @property
    def products(self) -> int:
        """Products that the space has cost so far."""
        return self.shared.runs.main.products

    def top(
        self, count: int, *, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> Eigenvalues:
        """The `count` largest eigenvalues."""
        main = self._paying().main
        return main.top(count, by=by, tolerance=tolerance, products=products)

    def directions(
        self, count: int, *, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> Tensor:
        """Unit eigenvectors of the eigenvalues that `top` gives."""
        main = self._paying().main
        return main.directions(count, by=by, tolerance=tolerance, products=products)

    def density(self, steps: int = 80, run: int = 0) -> tuple[Tensor, Tensor]:
        """Nodes and weights of the spectrum as one random vector sees it."""
        return self._paying().density(steps, run)

    def trace_samples(self, count: int, sketch: int = 0) -> Tensor:
        """Independent estimates of the trace."""
        return self._paying().trace_samples(count, sketch)

    def module_traces(self, count: int, sketch: int = 0) -> Tensor:
        """What the modules have of these estimates."""
        return self._paying().module_traces(count, sketch)

    def _paying(self) -> Runs:
        self.shared.payer.ledger = self.ledger
        return self.shared.runs


def space_of(view: View, weights: Weights, sample: Sample, matrix: Matrix) -> PaidSpace:
    """The Krylov space of a matrix at a point: one and the same for all who ask."""
    name = view.name(weights)
    told = () if matrix == "hessian" else (matrix,)

    def make() -> SharedSpace:
        payer = Payer(view.ledger)
        here = Curvature(view.scene, weights, sample, view.bytes_each(weights, sample))
        product = _product(view, weights, sample, matrix, here)
        device = view.scene.device
        row = here.size * wide(here.size, sample.dtype, device).itemsize
        room = max(LEAST, view.scene.budget.basis // (2 * row))  # the rest is for restarts

        def begin(run: int) -> KrylovSpace:
            run_name = (f"run {run}",) if run else ()
            return KrylovSpace(
                lambda vector: product(vector, payer.ledger),
                here.size,
                stream(0, "\x1f".join(["probe:krylov", sample.name, *name, *told, *run_name])),
                dtype=sample.dtype,
                device=device,
                room=room,
                parts=parameters.sums_by_module(view.scene),
            )

        return SharedSpace(Runs(begin(0), begin), payer, here.bytes)

    kept = view.shared.spaces
    whole = (*name, sample.name, *told)
    space = kept.get(whole, make, lambda made: made.bytes) if name else make()
    return PaidSpace(space, view.ledger)


def _product(
    view: View, weights: Weights, sample: Sample, matrix: Matrix, here: Curvature
) -> Callable[[Tensor, Ledger], Tensor]:
    if matrix == "hessian":
        return here.product
    bytes_each = view.bytes_each(weights, sample)
    kind: Kind = "empirical" if matrix == "covariance" else matrix
    fisher = Fisher(view.scene, weights, sample, bytes_each, kind)
    if matrix != "covariance":
        return fisher.product
    mean = here.gradient(view.ledger)
    return lambda vector, ledger: fisher.product(vector, ledger) - mean * (mean @ vector)
