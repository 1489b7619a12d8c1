"""`hessian-trace`: the sum of the eigenvalues of the Hessian of the training loss."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Literal

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import setting
from harness_landscape.loss_settings import LossSettings, loss_protocol

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.probes import Krylov, Probe

MORE = 4  # samples between two looks at the standard error


class HessianTraceSettings(LossSettings):
    """Of the loss on what, how it is estimated, and how exactly."""

    estimator: Literal["hutch++", "hutchinson"] = setting(
        "hutch++",
        "hutchinson samples v'Hv; hutch++ takes the trace inside a Krylov space exactly and "
        "samples the rest: few samples where few eigenvalues stand out",
        source="Meyer et al. 2021, arXiv 2010.09649; Hutchinson 1989",
    )
    sketch: int = setting(
        30,
        "Hessian products of the space of hutch++; shared with hessian-top and hessian-density",
        source="a choice: about what five eigenvalues take",
        ge=1,
    )
    tolerance: float = setting(
        0.02,
        "standard error, relative to the estimate, at which sampling stops",
        source="a choice: 2 %",
        gt=0,
        lt=1,
    )
    least: int = setting(
        8,
        "samples before the standard error is believed",
        source="a choice: with 8, the standard error itself is known to 27 %",
        ge=3,
    )
    most: int = setting(
        200,
        "samples after which it gives up; the reading says so",
        source="a choice; PyHessian takes 100: Yao et al. 2020, arXiv 1912.07145",
        ge=3,
    )
    per_module: bool = setting(
        False,
        "also the traces of the modules' own blocks, from the same samples; they sum to the trace",
        source="per layer as in Dong et al. 2020 (HAWQ-V2), arXiv 1911.03852",
    )


def measure(settings: HessianTraceSettings, probe: Probe) -> Reading:
    """The trace at the run's final weights, sampled until its standard error is small enough."""
    weights = probe.weights()
    space = probe.krylov(weights, settings.split, examples=settings.examples)
    sketch = settings.sketch if settings.estimator == "hutch++" else 0
    samples = _sampled(settings, space, sketch)
    trace, error = float(samples.mean()), _standard_error(samples)
    split = settings.split
    modules: list[Value] = []
    if settings.per_module:
        modules = _by_module(space.module_traces(len(samples), sketch), probe.modules(), split)
    size = len(probe.parameters(weights))
    sampled = len(samples) if sketch < size else 0  # else the space knows all there is
    return Reading(
        values=(
            Value(name="trace", split=split, value=trace, standard_error=error),
            Value(name="mean-eigenvalue", split=split, value=trace / size, detail=True),
            Value(name="samples", split=split, value=len(samples), detail=True),
            Value(name="products", split=split, value=min(sketch, size) + sampled, detail=True),
            *modules,
        ),
        protocol={
            "estimator": settings.estimator,
            "vectors": "uniform on the sphere",
            "samples": len(samples),
            **loss_protocol(settings, probe),
            "tolerance": settings.tolerance,
        },
        converged=_enough(samples, settings.tolerance),
    )


def _by_module(samples: Tensor, modules: tuple[str, ...], split: str) -> list[Value]:
    """Traces of the modules' blocks from samples [count, modules]."""
    each = samples.expand(-1, len(modules))
    return [
        Value(
            name=f"trace[{module or 'itself'}]",
            split=split,
            value=float(column.mean()),
            standard_error=_standard_error(column),
            detail=True,
        )
        for module, column in zip(modules, each.unbind(1), strict=True)
    ]


def _sampled(settings: HessianTraceSettings, space: Krylov, sketch: int) -> Tensor:
    most = max(settings.least, settings.most)
    samples = space.trace_samples(settings.least, sketch)
    while len(samples) < most and not _enough(samples, settings.tolerance):
        if not bool(samples.isfinite().all()):
            break
        samples = space.trace_samples(min(len(samples) + MORE, most), sketch)
    return samples


def _enough(samples: Tensor, tolerance: float) -> bool:
    """The standard error against the mean, not one mean against the one before."""
    return _standard_error(samples) <= tolerance * abs(float(samples.mean()))


def _standard_error(samples: Tensor) -> float:
    return float(samples.std()) / sqrt(len(samples))


HESSIAN_TRACE = Metric(
    name="hessian-trace",
    about="The trace of the Hessian of the training loss, with its standard error.",
    source="Hutchinson 1989; Meyer et al. 2021, arXiv 2010.09649; as a landscape metric: Yao et "
    "al. 2020, arXiv 1912.07145",
    settings=HessianTraceSettings,
    measure=measure,
    of="point",
    access="id",
    direction="larger: sharper; its relation to OOD scores depends",
    formula="trace = tr H, H = d2L/dw2, L the mean loss. hutchinson: mean of P v'Hv, v uniform on "
    "the sphere, variance 2 (||H||_F^2 - tr(H)^2 / P) P / (P + 2) per sample. hutch++: tr(Q'HQ) + "
    "mean of P (v - QQ'v)'H(v - QQ'v), Q a Krylov basis. standard error = sd / sqrt(samples). "
    "mean-eigenvalue = trace / P. trace[MODULE] (with per_module): tr of the block of H "
    "of the parameters that MODULE holds directly, from the same v: sums of v_i (Hv)_i over them, "
    "less what Q knows of it, plus its known trace; they sum to trace.",
    invariances="orthogonal changes of coordinates in weight space, permutation of units. Not "
    "under rescaling: (c u, v / c) of a ReLU network changes it at the same function.",
    cost="one Hessian product per sample, and `sketch` of the space that hessian-top and "
    "hessian-density share; 40 to 100 products in all for 2 %. per_module takes no "
    "further products.",
    oracle="traces of rotated diagonal operators and of a dense Hessian and its blocks; the "
    "variance of a sample; reported against observed spread.",
)
