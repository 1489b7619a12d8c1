"""`hessian-top`: the largest eigenvalues of the Hessian of the training loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import setting
from harness_landscape.loss_settings import LossSettings, loss_protocol

if TYPE_CHECKING:
    from harness.api.contexts import Probe


class HessianTopSettings(LossSettings):
    """Which eigenvalues, of the loss on what, and how exactly."""

    k: int = setting(
        5, "how many eigenvalues", source="a choice: enough to tell outliers from bulk", ge=1
    )
    which: Literal["magnitude", "value"] = setting(
        "magnitude",
        "largest by magnitude (large negative curvature counts) or by value",
        source="a choice: what power iteration finds (Yao et al. 2020, arXiv 1912.07145)",
    )
    tolerance: float = setting(
        1e-3,
        "largest residual ||Hv - lambda v|| / |lambda| that counts as converged",
        source="a choice: an eigenvalue is then known to 0.1 % or better",
        gt=0,
        lt=1,
    )
    products: int = setting(
        100,
        "Hessian products after which it gives up; the reading says so",
        source="a choice: 15 to 40 are usual for five eigenvalues",
        ge=1,
    )


def measure(settings: HessianTopSettings, probe: Probe) -> Reading:
    """The k largest eigenvalues at the run's final weights, with their residuals."""
    space = probe.krylov(probe.weights(), settings.split, examples=settings.examples)
    top = space.top(
        settings.k,
        by=settings.which,
        tolerance=settings.tolerance,
        products=settings.products,
    )
    split = settings.split
    values = [
        Value(name=f"{name}-{place}", split=split, value=number, detail=name == "residual")
        for name, numbers in (("eigenvalue", top.values), ("residual", top.residuals))
        for place, number in enumerate(numbers.tolist(), start=1)
    ]
    values.append(Value(name="products", split=split, value=top.products, detail=True))
    return Reading(
        values=tuple(values),
        protocol={
            "which": f"largest by {settings.which}",
            **loss_protocol(settings, probe),
            "tolerance": settings.tolerance,
        },
        converged=top.converged,
    )


HESSIAN_TOP = Metric(
    name="hessian-top",
    about="The largest eigenvalues of the Hessian of the training loss.",
    source="Lanczos with full reorthogonalisation: Golub and Van Loan 2013, chapter 10; as a "
    "landscape metric: Ghorbani et al. 2019, arXiv 1901.10159",
    settings=HessianTopSettings,
    measure=measure,
    of="point",
    access="id",
    direction="larger: sharper; its relation to OOD scores depends",
    formula="eigenvalue-1 >= ... >= eigenvalue-k (by magnitude or by value) of H = d2L/dw2, L the "
    "mean loss; residual-i = ||H v_i - lambda_i v_i|| / |lambda_i|; `products` Hessian products in "
    "the Krylov space that they were read from.",
    invariances="orthogonal changes of coordinates in weight space, permutation of units. Not "
    "under rescaling: (c u, v / c) of a ReLU network changes it at the same function.",
    cost="15 to 40 Hessian products for k = 5, each 1.1 to 2.3 gradients through a kept graph, 1 "
    "to 1.6 more for examples whose graph does not fit; more products where vectors do not fit.",
    oracle="Hessians of linear, logistic and softmax regression; diagonal, indefinite, low-rank "
    "plus identity and zero operators; a dense Hessian of a small network.",
)
