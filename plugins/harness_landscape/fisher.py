"""`fisher`: how large and how different the gradients of single examples are."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Literal

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import Settings, SplitName, setting

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.probes import Probe, Weights


class FisherSettings(Settings):
    """Of the loss on what, and how the true Fisher matrix takes its classes."""

    classes: Literal["all", "drawn"] = setting(
        "all",
        "the true Fisher trace as a sum over all classes, one pass each, or from one class drawn "
        "from the prediction of each example",
        source="the sum is the definition; one draw: Kunstner et al. 2019, arXiv 1905.12558",
    )
    tolerance: float = setting(
        1e-3,
        "largest residual ||Cv - lambda v|| / |lambda| of the covariance's top eigenvalue",
        source="a choice: as for hessian-top",
        gt=0,
        lt=1,
    )
    products: int = setting(
        100,
        "products with the covariance after which it gives up; the reading says so",
        source="a choice: as for hessian-top",
        ge=1,
    )
    examples: int | None = setting(
        1000,
        "examples of the split, drawn once from a fixed stream, the same for all runs; null: all",
        source="a choice: as for hessian-top",
        ge=2,
    )
    split: SplitName = setting(
        "train",
        "the split of the loss: train, or an in-domain one",
        source="the landscape that was trained",
    )


def measure(settings: FisherSettings, probe: Probe) -> Reading:
    """Traces of both Fisher matrices and of the covariance, its top eigenvalue, noise scale."""
    weights, split, some = probe.weights(), settings.split, settings.examples
    norms = probe.example_gradient_norms(weights, split, examples=some)
    true = _true(settings, probe, weights)
    mean = float(probe.gradient(weights, split, examples=some).double().square().sum())
    space = probe.krylov(weights, split, examples=some, matrix="covariance")
    top = space.top(1, by="value", tolerance=settings.tolerance, products=settings.products)
    empirical, error = _mean(norms)
    covariance = max(empirical - mean, 0.0) if empirical == empirical else empirical
    found = (
        ("true-trace", *_mean(true)),
        ("empirical-trace", empirical, error),
        ("covariance-trace", covariance, error),
        ("covariance-top", float(top.values[0]), None),
        ("noise-scale", covariance / mean if mean else float("nan"), None),
    )
    values = [Value(name=n, split=split, value=v, standard_error=e) for n, v, e in found]
    values.append(Value(name="gradient-square", split=split, value=mean, detail=True))
    values.append(Value(name="products", split=split, value=top.products, detail=True))
    return Reading(
        values=tuple(values),
        protocol={
            "classes": settings.classes,
            "split": split,
            "examples": len(norms),
            "quantity": "gradients of single examples' losses; weight decay left out",
            "mode": "eval",
            "parameters": "all",
            "tolerance": settings.tolerance,
        },
        converged=top.converged,
    )


def _true(settings: FisherSettings, probe: Probe, weights: Weights) -> Tensor:
    """Expected squared norm [n] of each example's score under the model's own classes."""
    import torch

    split, some = settings.split, settings.examples
    chances = probe.logits([weights], split, examples=some)[0].double().softmax(-1)

    def norms(targets: Tensor) -> Tensor:
        return probe.example_gradient_norms(weights, split, examples=some, targets=targets)

    if settings.classes == "drawn":
        if not bool(chances.isfinite().all()):
            return chances.new_full((len(chances),), float("nan"))
        drawn = torch.multinomial(chances, 1, generator=probe.generator("classes"))
        return norms(drawn[:, 0])
    total = torch.zeros(len(chances), dtype=torch.float64)
    for label in range(chances.shape[1]):
        total += chances[:, label] * norms(torch.full((len(chances),), label))
    return total


def _mean(each: Tensor) -> tuple[float, float | None]:
    if len(each) == 1:
        return float(each.mean()), None
    return float(each.mean()), float(each.std()) / sqrt(len(each))


FISHER = Metric(
    name="fisher",
    about="How large and how different the gradients of single examples are.",
    source="Fisher matrices: Kunstner et al. 2019, arXiv 1905.12558; noise scale: McCandlish et "
    "al. 2018, arXiv 1812.06162; covariance: Jastrzebski et al. 2020, arXiv 2002.09572",
    settings=FisherSettings,
    measure=measure,
    of="point",
    access="id",
    direction="true-trace, covariance-top larger: sharper; relations to OOD scores depend",
    formula="g_i: gradient of example i's loss, g their mean. true-trace = tr F = mean_i sum_y "
    "p_i(y) ||d log p_i(y) / dw||^2; empirical-trace = mean_i ||g_i||^2; covariance-trace = tr C, "
    "C = mean_i g_i g_i' - g g' (over N, not N - 1); covariance-top = its largest eigenvalue; "
    "noise-scale = tr C / ||g||^2; gradient-square = ||g||^2. Standard errors over examples; that "
    "of covariance-trace takes g as known.",
    invariances="orthogonal changes of coordinates in weight space, permutation of units. Not "
    "under rescaling: (c u, v / c) of a ReLU network changes it at the same function.",
    cost="one pass of about 1.4 gradients per class (one with classes: drawn) and one more, and 10 "
    "to 40 covariance products of about 1.1 gradients.",
    oracle="tr F = tr H of linear softmax regression; covariances and traces from all gradients "
    "of a small network; two examples; unbiased draws.",
    tasks=("classification",),
)
