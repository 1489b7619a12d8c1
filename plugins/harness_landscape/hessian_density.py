"""`hessian-density`: how the eigenvalues of the Hessian are distributed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import setting
from harness_landscape.loss_settings import LossSettings, loss_protocol

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.probes import Probe

    Run = tuple[Tensor, Tensor]  # nodes and weights

BINS = 256
COPIES = 1e-5  # nodes so close, relative to the largest |eigenvalue|, are one eigenvalue
GHOST = 1e-12  # of so little weight is what rounding alone has brought into a space
TAIL = 5.0  # widths of the kernel beyond the extreme nodes


class HessianDensitySettings(LossSettings):
    """Of the loss on what, how finely, and what counts as zero or as an outlier."""

    runs: int = setting(
        10, "random vectors", source="k = 10: Ghorbani et al. 2019, arXiv 1901.10159", ge=1
    )
    steps: int = setting(
        80,
        "Hessian products per vector; moments up to 2 steps - 1 are exact for each vector",
        source="m = 90: Ghorbani et al. 2019, arXiv 1901.10159",
        ge=2,
    )
    width: float = setting(
        0.01,
        "standard deviation of the curve's Gaussian kernel, relative to the largest |eigenvalue|, "
        "so that a scaled loss has a scaled density",
        source="a choice: about the range over the steps",
        gt=0,
    )
    zero: float = setting(
        0.01,
        "what counts as zero, relative to the largest |eigenvalue|",
        source="a choice: 1 %",
        gt=0,
        lt=1,
    )
    edge: float = setting(
        0.1,
        "where the bulk ends and outliers begin, relative to the largest |eigenvalue|",
        source="a choice: outliers stand far out, Papyan 2020, arXiv 2008.11865",
        gt=0,
        lt=1,
    )


def measure(settings: HessianDensitySettings, probe: Probe) -> Reading:
    """The smoothed density, and numbers read off its quadratures."""
    weights = probe.weights()
    space = probe.krylov(weights, settings.split, examples=settings.examples)
    runs = [space.density(settings.steps, run) for run in range(settings.runs)]
    size = len(probe.parameters(weights))
    finite = all(bool(nodes.isfinite().all()) for nodes, _ in runs)
    return Reading(
        values=tuple(_values(settings, runs, size)),
        curves=(_curve(settings, runs),) if finite else (),
        protocol={
            "runs": settings.runs,
            "steps": [len(nodes) for nodes, _ in runs],
            "vectors": "uniform on the sphere",
            "width": settings.width,
            "zero": settings.zero,
            "edge": settings.edge,
            **loss_protocol(settings, probe),
        },
        converged=finite,
    )


def _values(settings: HessianDensitySettings, runs: list[Run], size: int) -> list[Value]:
    split, scale = settings.split, _scale(runs)
    zero, edge = settings.zero * scale, settings.edge * scale
    means: dict[str, Callable[[Tensor], Tensor]] = {
        "near-zero": lambda nodes: (nodes.abs() <= zero).double(),
        "negative": lambda nodes: (nodes < -zero).double(),
        "above-edge": lambda nodes: (nodes > edge).double() * size,
        "trace": lambda nodes: nodes * size,
        "negative-sum": lambda nodes: (-nodes).clamp(min=0) * size,
        "frobenius": lambda nodes: nodes**2 * size,
    }
    found = {name: _means(runs, of) for name, of in means.items()}
    values = [
        Value(name=name, split=split, value=_jackknife(each)[0], standard_error=_jackknife(each)[1])
        for name, each in found.items()
        if name != "frobenius"
    ]
    rank, se = _jackknife(found["trace"], found["frobenius"], lambda t, f: t * t / f)
    values.append(Value(name="effective-rank", split=split, value=rank, standard_error=se))
    nodes = [run[0] for run in runs]
    first = _distinct(runs[0], scale)
    fifth = float(first[4]) if len(first) > 4 else float("nan")
    numbers = {
        "outliers": float((first > edge).sum()) + 0 * scale,  # NaN of a diverged run stays NaN
        "largest": max(float(each.max()) for each in nodes),
        "smallest": min(float(each.min()) for each in nodes),
        "first-to-fifth": float(first[0]) / fifth if fifth > 0 else float("nan"),
    }
    return values + [Value(name=n, split=split, value=v) for n, v in numbers.items()]


def _distinct(run: Run, scale: float) -> Tensor:
    """Nodes, largest first, without what repeats or follows from rounding alone.

    Where memory does not hold all vectors of a space they are not reorthogonalised, and its large
    eigenvalues come again and again (Cullum and Willoughby 1985).
    """
    import torch

    nodes, weights = run
    nodes = nodes[~(weights < GHOST)].flip(0)  # NaN of a diverged run stays
    gaps = nodes[:-1] - nodes[1:]
    return nodes[torch.cat([gaps.new_ones(1, dtype=torch.bool), ~(gaps <= COPIES * scale)])]


def _means(runs: list[Run], of: Callable[[Tensor], Tensor]) -> Tensor:
    """The mean over the spectrum as each run sees it: [runs]."""
    import torch

    return torch.stack([(weights * of(nodes)).sum() for nodes, weights in runs])


def _jackknife(
    each: Tensor, other: Tensor | None = None, of: Callable[[Tensor, Tensor], Tensor] | None = None
) -> tuple[float, float | None]:
    """A function of means over runs, and its standard error (None for a single run)."""
    second = each if other is None else other
    function = of or (lambda first, _: first)
    whole = function(each.mean(), second.mean())
    count = len(each)
    if count == 1:
        return float(whole), None
    left = [(part.sum() - part) / (count - 1) for part in (each, second)]
    spread = function(*left).var(correction=0) * (count - 1)
    return float(whole), float(spread.sqrt())


def _curve(settings: HessianDensitySettings, runs: list[Run]) -> Curve:
    """Mass per bin over its width: the kernel is integrated, so that no peak falls through."""
    import torch

    width = settings.width * (_scale(runs) or 1.0)
    low = min(float(nodes.min()) for nodes, _ in runs) - TAIL * width
    high = max(float(nodes.max()) for nodes, _ in runs) + TAIL * width
    edges = torch.linspace(low, high, BINS + 1, dtype=torch.float64)
    mass = torch.zeros(BINS, dtype=torch.float64)
    for nodes, weights in runs:
        below = torch.special.ndtr((edges[:, None] - nodes) / width) @ weights
        mass += below.diff() / len(runs)
    middles = (edges[1:] + edges[:-1]) / 2
    density = mass / edges.diff()
    return Curve(
        name="density",
        split=settings.split,
        x=middles.tolist(),
        y={"density": density.tolist()},
        axis="eigenvalue",
    )


def _scale(runs: list[Run]) -> float:
    """The largest |eigenvalue| that was seen."""
    import torch

    return float(torch.cat([nodes for nodes, _ in runs]).abs().max())


HESSIAN_DENSITY = Metric(
    name="hessian-density",
    about="How the eigenvalues of the Hessian of the training loss are distributed.",
    source="stochastic Lanczos quadrature: Ubaru, Chen and Saad 2017; Ghorbani et al. 2019, arXiv "
    "1901.10159; Papyan 2020, arXiv 2008.11865",
    settings=HessianDensitySettings,
    measure=measure,
    of="point",
    access="id",
    direction="depends: a shape, not a size",
    formula="for each random v: nodes t_k and weights u_k (summing to 1) of the Lanczos "
    "quadrature; values are means over v. density(t) = sum_k u_k N(t; t_k, width); near-zero, "
    "negative: mass at |t| <= zero, t < -zero; trace = P sum u t; negative-sum = P sum u max(-t, "
    "0); effective-rank = tr(H)^2 / ||H||_F^2; above-edge = P times the mass at t > edge; "
    "outliers: Ritz values > edge of the first space, without copies (distinct eigenvalues, at "
    "least so many: those that stand apart are found first); largest, smallest: extreme nodes; "
    "first-to-fifth = lambda_1 / lambda_5. zero, edge and width are relative to the largest |t|.",
    invariances="orthogonal changes of coordinates, permutation of units; masses, counts, "
    "effective-rank and first-to-fifth also scaling of the loss. Not under rescaling of layers.",
    cost="runs x steps Hessian products; hessian-top and hessian-trace share them.",
    oracle="moments up to 2 steps - 1 of each vector; diagonal spectra, the identity, two "
    "clusters, rank one, zero; the dense Hessian of a small network.",
)
