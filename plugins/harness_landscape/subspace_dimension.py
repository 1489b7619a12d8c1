"""`subspace-dimension`: in how many directions a run moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.waypoints import LEAST, waypoints

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.probes import Probe

SHARES = (50, 90, 95, 99)
ENTRIES = 2**22  # numbers of the points that stand in memory as doubles at a time


class SubspaceDimensionSettings(Settings):
    """Which parameters are looked at."""

    group: str = setting(
        "all",
        "parameters: all, no-bias-and-norm, no-head, or a module's name",
        source="a choice: all, as in Li et al. 2018, arXiv 1712.09913, section 7",
    )


def measure(settings: SubspaceDimensionSettings, probe: Probe) -> Reading:
    """Dimensions of the points about their mean and from the start, and of their steps."""
    ways = waypoints(probe)
    spectra = _spectra(settings, probe, [way.point for way in ways])
    values, curves = [], []
    for name, spectrum in spectra.items():
        end = "" if name == "centred" else f"-{name}"
        for share in SHARES:
            found = _components(spectrum, share / 100)
            values.append(Value(name=f"components-{share}{end}", value=found, detail=share != 90))
        values.append(Value(name=f"participation-ratio{end}", value=_participation(spectrum)))
        if len(spectrum):
            shares = (spectrum / spectrum.sum()).tolist()
            ranks = [float(rank) for rank in range(1, len(shares) + 1)]
            curves.append(
                Curve(name=name, split=None, x=ranks, y={"variance": shares}, axis="component")
            )
    chance = _walk(len(ways))
    values += [
        Value(name="walk-components-90", value=_components(chance, 0.9), detail=True),
        Value(name="walk-participation-ratio", value=_participation(chance), detail=True),
        Value(name="points", value=float(len(ways)), detail=True),
    ]
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol={
            "points": [way.point for way in ways],
            "steps": [way.step for way in ways],
            "parameters": settings.group,
            "weighting": "every point counts the same, however many steps lie between",
            "too_few_points": len(ways) < LEAST,
        },
    )


def _spectra(
    settings: SubspaceDimensionSettings, probe: Probe, points: list[str]
) -> dict[str, Tensor]:
    """Eigenvalues, largest first, of the points about their mean, from the start, of the steps.

    All from one matrix of inner products G [k, k] of the points from the start: PCA without P x P.
    """
    import torch

    names = ("centred", "from-start", "steps")
    if len(points) < LEAST:
        return {name: torch.zeros(0, dtype=torch.float64) for name in names}
    gram = _gram(settings, probe, points)
    if not bool(gram.isfinite().all()):  # a point at which the run had diverged
        return {name: torch.zeros(0, dtype=torch.float64) for name in names}
    count = len(points)
    mean = torch.eye(count, dtype=torch.float64) - 1 / count
    step = torch.eye(count, dtype=torch.float64).diff(dim=0)
    forms = (mean @ gram @ mean, gram[1:, 1:], step @ gram @ step.T)
    return {
        name: torch.linalg.eigvalsh(form).flip(0).clamp(min=0.0)
        for name, form in zip(names, forms, strict=True)
    }


def _gram(settings: SubspaceDimensionSettings, probe: Probe, points: list[str]) -> Tensor:
    """Inner products of the points less the first, in doubles, some parameters at a time."""
    import torch

    chosen = probe.group(settings.group)
    vectors = [probe.parameters(probe.weights(0, point)).cpu()[chosen] for point in points]
    width = max(1, ENTRIES // len(vectors))
    gram = torch.zeros(len(vectors), len(vectors), dtype=torch.float64)
    for start in range(0, len(vectors[0]), width):
        part = torch.stack([vector[start : start + width].double() for vector in vectors])
        part = part - part[0]
        gram += part @ part.T
    return gram


def _walk(count: int) -> Tensor:
    """The centred spectrum of a walk of steps of one length at right angles to each other.

    What many random steps in a large space look like: 1 / (4 sin^2(pi k / 2n)), k = 1 .. n - 1
    (Antognini and Sohl-Dickstein 2018, arXiv 1806.08805).
    """
    import torch

    if count < LEAST:
        return torch.zeros(0, dtype=torch.float64)
    place = torch.arange(1, count, dtype=torch.float64)
    return 1 / (4 * torch.sin(torch.pi * place / (2 * count)).square())


def _components(spectrum: Tensor, share: float) -> float:
    """How many of the largest eigenvalues hold that share of the sum."""
    total = float(spectrum.sum()) if len(spectrum) else 0.0
    if not 0.0 < total < float("inf"):
        return float("nan")
    held = spectrum.cumsum(0) / total
    return float((held < share - 1e-12).sum()) + 1.0


def _participation(spectrum: Tensor) -> float:
    """(sum of eigenvalues)^2 / sum of their squares."""
    squares = float(spectrum.square().sum()) if len(spectrum) else 0.0
    return float(spectrum.sum()) ** 2 / squares if squares > 0.0 else float("nan")


SUBSPACE_DIMENSION = Metric(
    name="subspace-dimension",
    about="How many directions hold a run's way through weight space.",
    source="PCA of trajectories: Li et al. 2018, arXiv 1712.09913; low-dimensional training: "
    "Gur-Ari et al. 2018, arXiv 1812.04754, and Larsen et al. 2022, arXiv 2107.05802",
    settings=SubspaceDimensionSettings,
    measure=measure,
    of="trajectory",
    access="train",
    direction="depends",
    formula="Eigenvalues s_1 >= s_2 >= ... of the inner products of a run's points (start, "
    "checkpoints, end): about their mean; *-from-start: of their displacements from the start; "
    "*-steps: of what lies between one point and the next. components-q: how many hold q % of the "
    "sum; participation-ratio = (sum s)^2 / sum s^2. walk-*: the same of a walk whose steps are "
    "at right angles and of one length, with as many points: what chance looks like. NaN with "
    "fewer than 3 points, or one that is not finite.",
    invariances="orthogonal changes of coordinates, scaling, permutation of units. Not which "
    "points were kept.",
    cost="none: reads the weights of all points, k^2 P multiplications.",
    oracle="a line (1), a circle (2), steps at right angles (the spectrum of a walk in closed "
    "form), PCA of the dense covariance matrix.",
)
