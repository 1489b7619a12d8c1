"""`gradient-subspace`: how much of the gradient lies in the Hessian's top eigenspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import setting
from harness_landscape.loss_settings import LossSettings, loss_protocol

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.probes import Probe, Weights


class GradientSubspaceSettings(LossSettings):
    """How many eigenvectors, of the loss on what, and which other point they are compared with."""

    k: int | None = setting(
        None,
        "eigenvectors of the largest eigenvalues; null: as many as there are classes",
        source="the number of classes: Gur-Ari et al. 2018, arXiv 1812.04754",
        ge=1,
    )
    against: str | None = setting(
        None,
        "another point of the run (init, checkpoint-100) whose subspace is compared; null: none",
        source="Gur-Ari et al. 2018, arXiv 1812.04754",
    )
    tolerance: float = setting(
        1e-3,
        "largest residual ||Hv - lambda v|| / |lambda| of an eigenvector",
        source="a choice: as for hessian-top",
        gt=0,
        lt=1,
    )
    products: int = setting(
        200,
        "Hessian products after which it gives up; the reading says so",
        source="a choice: 30 to 80 are usual for ten eigenvectors",
        ge=1,
    )


def measure(settings: GradientSubspaceSettings, probe: Probe) -> Reading:
    """The overlap of the gradient with the top eigenvectors, beside what chance would give."""
    weights, split = probe.weights(), settings.split
    count = settings.k or _classes(settings, probe, weights)
    gradient = probe.gradient(weights, split, examples=settings.examples).double()
    size = len(gradient)
    count = min(count, size)
    converged, basis = _subspace(settings, probe, weights, count)
    count = len(basis)  # fewer, where there were fewer products than eigenvectors wanted
    inside = (basis.double() @ gradient.to(basis.device)).square().sum()
    values = {
        "overlap": float(inside / gradient.square().sum()),
        "chance": count / size,
    }
    if settings.against is not None:
        other = _subspace(settings, probe, probe.weights(0, settings.against), count)
        values["subspace-overlap"] = float((basis @ other[1].T).double().square().sum()) / count
        converged = converged and other[0]
    return Reading(
        values=(
            *(Value(name=name, split=split, value=value) for name, value in values.items()),
            Value(name="k", split=split, value=count, detail=True),
        ),
        protocol={
            "k": count,
            "which": "largest by value",
            "against": settings.against,
            **loss_protocol(settings, probe),
            "tolerance": settings.tolerance,
        },
        converged=converged,
    )


def _subspace(
    settings: GradientSubspaceSettings, probe: Probe, weights: Weights, count: int
) -> tuple[bool, Tensor]:
    """Whether they are known well enough, and the top eigenvectors [count, P]."""
    space = probe.krylov(weights, settings.split, examples=settings.examples)
    top = space.top(count, by="value", tolerance=settings.tolerance, products=settings.products)
    basis = space.directions(
        count, by="value", tolerance=settings.tolerance, products=settings.products
    )
    return top.converged, basis


def _classes(settings: GradientSubspaceSettings, probe: Probe, weights: Weights) -> int:
    return probe.logits([weights], settings.split, examples=1).shape[-1]


GRADIENT_SUBSPACE = Metric(
    name="gradient-subspace",
    about="How much of the gradient lies in the span of the Hessian's top eigenvectors.",
    source="Gur-Ari et al. 2018, arXiv 1812.04754; Song et al. 2024, arXiv 2405.16002",
    settings=GradientSubspaceSettings,
    measure=measure,
    of="point",
    access="id",
    direction="depends: descent inside the top subspace is not what trains (Song et al. 2024)",
    formula="overlap = ||V'g||^2 / ||g||^2, V the unit eigenvectors of the k largest eigenvalues "
    "of H, g the gradient, both of the mean loss on the same examples; chance = k / P, what a "
    "random direction has; subspace-overlap = ||V'W||_F^2 / k, W those of another point.",
    invariances="scaling of the loss, orthogonal changes of coordinates, permutation of units "
    "(subspace-overlap: of both points alike). Not under rescaling of layers.",
    cost="30 to 80 Hessian products for ten eigenvectors, shared with the other metrics of the "
    "Hessian; one gradient; the same again for another point.",
    oracle="a gradient inside the subspace, across it and at random; plane rotations; the "
    "eigenvectors of a dense Hessian; gradient descent with a large step on a quadratic.",
)
