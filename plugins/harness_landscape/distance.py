"""`distance`: how far the weights of two runs lie apart, and whether they went the same way."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor

    from harness.api.contexts import Probe

NAN = float("nan")


class DistanceSettings(Settings):
    """What is compared."""

    parameters: Literal["all", "no-bias-and-norm", "no-head"] = setting(
        "all",
        "which parameters: all, those of no bias or normalisation layer, or all but the head",
        source="a choice: Frankle et al. 2020, arXiv 1912.05671, appendix G, compare all",
    )


@dataclass(frozen=True)
class Sums:
    """Sums over the parameters of a part of the network, all in float64.

    Squares of: first minus second run, first, second, first minus its start, second minus its
    start, start minus start; and the product of the two ways from the start.
    """

    apart: float = 0.0
    first: float = 0.0
    second: float = 0.0
    first_way: float = 0.0
    second_way: float = 0.0
    starts: float = 0.0
    product: float = 0.0

    @property
    def relative(self) -> float:
        """The distance in units of the root mean square of the two norms."""
        return _ratio(sqrt(self.apart), sqrt((self.first + self.second) / 2))

    @property
    def travelled(self) -> float:
        """Root mean square of the two ways' lengths."""
        return sqrt((self.first_way + self.second_way) / 2)

    @property
    def cosine(self) -> float:
        """Cosine of the two ways."""
        cosine = _ratio(self.product, sqrt(self.first_way) * sqrt(self.second_way))
        return max(-1.0, min(1.0, cosine)) if cosine == cosine else NAN  # max hides a NaN


def measure(settings: DistanceSettings, probe: Probe) -> Reading:
    """Distances and cosines, of all parameters and of each module's."""
    names = _chosen(settings.parameters, probe)
    started = all("init" in probe.points(run) for run in (0, 1))
    points = [
        probe.weights(run, point) for point in ("final", "init")[: 1 + started] for run in (0, 1)
    ]
    modules: dict[str, Sums] = {}
    for name in names:
        module = name.rpartition(".")[0]
        modules[module] = _add(
            [modules.get(module, Sums()), _sums([point[name] for point in points])]
        )
    whole = _add(modules.values())
    values = [
        Value(name="l2", value=sqrt(whole.apart)),
        Value(name="l2-relative", value=whole.relative),
    ]
    if started:
        values += [
            Value(name="l2-travelled", value=_ratio(sqrt(whole.apart), whole.travelled)),
            Value(name="cosine", value=whole.cosine),
            Value(name="travelled", value=whole.travelled, detail=True),
            Value(name="l2-start", value=sqrt(whole.starts), detail=True),
        ]
    parts = _by_module(modules, started=started)
    for quantity, numbers in parts.items():
        for module, number in zip(modules, numbers, strict=True):
            values.append(Value(name=f"{quantity}[{module}]", value=number, detail=True))
    places = [float(place) for place in range(len(modules))]
    return Reading(
        values=tuple(values),
        curves=(
            Curve(
                name="modules", split=None, x=places, y=parts, axis="module", labels=list(modules)
            ),
        ),
        protocol={
            "parameters": settings.parameters,
            "modules": list(modules),
            "start": "each run's own initial weights" if started else "not known",
            "buffers": "left out",
        },
    )


def _by_module(modules: Mapping[str, Sums], *, started: bool) -> dict[str, list[float]]:
    parts = {
        "l2": [sqrt(part.apart) for part in modules.values()],
        "l2-relative": [part.relative for part in modules.values()],
    }
    return parts | ({"cosine": [part.cosine for part in modules.values()]} if started else {})


def _chosen(which: str, probe: Probe) -> list[str]:
    """Names of the parameters of a group."""
    mask, weights, start, chosen = probe.group(which), probe.weights(0), 0, []
    for name in probe.names():
        if bool(mask[start]):
            chosen.append(name)
        start += weights[name].numel()
    return chosen


def _sums(tensors: Sequence[Tensor]) -> Sums:
    """Sums over one parameter tensor of the two runs, and of their two starts if known."""
    # not all devices have doubles
    first, second, *starts = (tensor.detach().reshape(-1).cpu().double() for tensor in tensors)
    sums = Sums(_dot(first - second), _dot(first), _dot(second))
    if not starts:
        return sums
    start, other = starts
    way, way_2 = first - start, second - other
    ways = Sums(
        first_way=_dot(way),
        second_way=_dot(way_2),
        starts=_dot(start - other),
        product=_dot(way, way_2),
    )
    return _add([sums, ways])


def _dot(first: Tensor, second: Tensor | None = None) -> float:
    return float(first @ (first if second is None else second))


def _add(parts: Iterable[Sums]) -> Sums:
    totals: dict[str, float] = {}
    for part in parts:
        for name, number in vars(part).items():
            totals[name] = totals.get(name, 0.0) + number
    return Sums(**totals)


def _ratio(above: float, below: float) -> float:
    return above / below if below != 0 else NAN


DISTANCE = Metric(
    name="distance",
    about="How far the weights of two runs lie apart, and whether they went the same way.",
    source="Frankle et al. 2020, arXiv 1912.05671, appendix G; cosine of task vectors: Ilharco et "
    "al. 2023, arXiv 2212.04089",
    settings=DistanceSettings,
    measure=measure,
    of="pair",
    access="train",
    direction="larger l2: further apart; larger cosine: more alike; the relation of either to OOD "
    "scores depends",
    formula="l2 = ||a - b|| over the parameters; l2-relative = l2 / sqrt((||a||^2 + ||b||^2) / 2); "
    "l2-travelled = l2 / sqrt((||a - a0||^2 + ||b - b0||^2) / 2), a0 and b0 the weights that "
    "either run started from; cosine = <a - a0, b - b0> / (||a - a0|| ||b - b0||). NAME[module]: "
    "of the parameters that a module holds itself. travelled: the denominator of l2-travelled; "
    "l2-start = ||a0 - b0||.",
    invariances="exchange of the two runs; relative values also under scaling all weights. Not "
    "under permutation or rescaling of units: equal functions can lie far apart.",
    cost="no forward pass: one pass over the weights.",
    oracle="vectors of known length and angle; sums of squares over modules; a permuted copy.",
)
