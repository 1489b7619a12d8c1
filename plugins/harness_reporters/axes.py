"""Axes of curves and grids: what they are called, and whether they are logarithmic."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from harness_reporters.figures import Trace, numbers_axis, plain, short

TITLES = {
    "alpha": "position on the line (alpha)",
    "rho": "radius (rho)",
    "lr": "learning rate",
    "step": "training step",
    "sigma": "scale of the noise (sigma)",
    "t": "position on the curve (t)",
    "delta": "how far beyond the ends (delta)",
}
TICKS = 24  # names along an axis; beyond, every second or third stands there


def axis_of(name: str, values: Sequence[float], labels: Sequence[str] = ()) -> Trace:
    """An axis for these places: of names, or of numbers, logarithmic where those are.

    `name` is what a metric calls it; some names are said in more words.
    """
    axis = numbers_axis(TITLES.get(name, name))
    if labels and len(labels) == len(values):
        every = math.ceil(len(labels) / TICKS)
        ticks = list(zip(values, labels, strict=True))[::every]
        axis |= {
            "tickvals": [value for value, _ in ticks],
            "ticktext": [plain(label if len(label) <= 22 else f"…{label[-21:]}")
                         for _, label in ticks],
            "showgrid": False,
            "zeroline": False,
        }  # fmt: skip
        axis.pop("nticks")
    elif geometric(values):
        axis |= logarithmic(values)
    return axis


def logarithmic(values: Iterable[float]) -> Trace:
    """What makes an axis of numbers logarithmic: ticks at round numbers only."""
    real = [value for value in values if value > 0 and math.isfinite(value)]
    wide = max(real) / min(real) > 30
    return {
        "type": "log",
        "dtick": 1 if wide else "D2",
        "exponentformat": "power",
        "nticks": 0,
    }


def geometric(values: Sequence[float]) -> bool:
    """Whether numbers grow by factors rather than by steps: by equal ones, or over a decade.

    >>> geometric([0.01, 0.03, 0.1, 0.3]), geometric([1, 2, 3, 40]), geometric([0, 0.1, 1, 10])
    (True, False, False)
    >>> geometric([0.05, 0.1, 0.2, 0.4]), geometric([1, 2, 3, 4, 5])
    (True, False)
    """
    if len(values) < 3 or not all(value > 0 and math.isfinite(value) for value in values):
        return False
    first, *_, last = ordered = sorted(set(values))
    steps = [math.log(b / a) for a, b in pairwise(ordered)]
    if len(steps) < 2 or last < 4 * first:
        return False
    return max(steps) <= (3 if last >= 10 * first else 1.2) * min(steps)


def many_decades(values: Iterable[float]) -> bool:
    """Whether heights are so unequal that only a logarithm shows them all.

    >>> many_decades([1e-6, 1e-5, 1e-4, 5.0]), many_decades([0.0, 0.2, 1.5])
    (True, False)
    """
    real = sorted(value for value in values if math.isfinite(value))
    above = [value for value in real if value > 0]
    if not above or real[0] < 0 or len(above) < len(real) / 2:
        return False
    return above[-1] > 200 * above[len(above) // 2]


def positive_decade(values: Iterable[float]) -> bool:
    """Whether all numbers are positive and some more than 30 times as large as others."""
    real = [value for value in values if not math.isnan(value)]
    return bool(real) and min(real) > 0 and 30 * min(real) < max(real) < math.inf


def log_range(values: Iterable[float], decades: float = 7) -> list[float]:
    """The range of a logarithmic axis from the greatest value down, in powers of ten."""
    above = [value for value in values if value > 0 and math.isfinite(value)]
    top, bottom = math.log10(max(above)), math.log10(min(above))
    return [max(bottom, top - decades) - 0.1, top + 0.15]


def widened(values: Iterable[float]) -> list[float]:
    """The range of an axis that holds all these numbers, with a little room."""
    real = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(real), max(real)
    room = 0.04 * (high - low) or 1.0
    return [low - room, high + room]


def room_around(values: Iterable[float]) -> Trace:
    """The range of an axis of numbers that are as good as one: else it would show their rounding.

    >>> room_around([2.0, 2.0]), room_around([1.0, 2.0]), room_around([])
    ({'range': [1.8, 2.2]}, {}, {})
    """
    real = [value for value in values if math.isfinite(value)]
    size = max(map(abs, real), default=0.0)
    if size == 0.0 or max(real) - min(real) > 1e-4 * size:
        return {}
    return {"range": [short(real[0] - size / 10, 6), short(real[0] + size / 10, 6)]}
