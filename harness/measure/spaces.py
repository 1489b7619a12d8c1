"""Krylov spaces that several metrics grow, each paying for what it adds."""

from dataclasses import dataclass
from typing import Literal

from harness.api.contexts import Eigenvalues, Weights
from harness.compute.streams import stream
from harness.measure.curvature import Curvature
from harness.measure.data import Sample
from harness.measure.krylov import KrylovSpace
from harness.measure.ledger import Ledger
from harness.measure.view import View


@dataclass
class Payer:
    """Whose ledger the next product goes into."""

    ledger: Ledger


@dataclass(frozen=True)
class SharedSpace:
    """A Krylov space, and the bytes of the graph that its products come from."""

    space: KrylovSpace
    payer: Payer
    graph: int

    @property
    def bytes(self) -> int:
        """Memory that it holds now, or will with the next product."""
        return self.graph + self.space.bytes


@dataclass(frozen=True)
class PaidSpace:
    """A shared space in the hands of one metric, which pays for what it adds."""

    shared: SharedSpace
    ledger: Ledger

    @property
    def products(self) -> int:
        """Products that the space has cost so far."""
        return self.shared.space.products

    def top(
        self, count: int, *, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> Eigenvalues:
        """The `count` largest eigenvalues."""
        self.shared.payer.ledger = self.ledger
        return self.shared.space.top(count, by=by, tolerance=tolerance, products=products)


def space_of(view: View, weights: Weights, sample: Sample) -> PaidSpace:
    """The Krylov space of the Hessian at a point: one and the same for all who ask."""
    name = view.name(weights)

    def make() -> SharedSpace:
        here = Curvature(view.scene, weights, sample, view.bytes_each(weights, sample))
        payer = Payer(view.ledger)
        space = KrylovSpace(
            lambda vector: here.product(vector, payer.ledger),
            here.size,
            stream(0, "\x1f".join(["probe:krylov", sample.name, *name])),
            dtype=sample.dtype,
            device=view.scene.device,
        )
        return SharedSpace(space, payer, here.bytes)

    kept = view.shared.spaces
    space = kept.get((*name, sample.name), make, lambda made: made.bytes) if name else make()
    return PaidSpace(space, view.ledger)
