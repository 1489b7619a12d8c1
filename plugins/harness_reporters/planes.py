"""Heat maps of planes in weight space, all splits of one subject side by side."""

import math
from collections.abc import Iterator, Sequence

from harness.api.findings import Findings, MetricNote
from harness.api.numbers import figures
from harness.api.pictures import Picture
from harness_reporters.figures import (
    Figure,
    Group,
    Trace,
    hover,
    known,
    layout,
    numbers_axis,
    plain,
)
from harness_reporters.protocols import KINDS, facts, protocol_facts

RAMP = ("#33236b", "#30568c", "#24838e", "#2faf7f", "#90d543", "#fbe723")  # dark: low
QUANTITIES = ("error", "loss")
SHOWN = 8  # panels of one subject
LEVELS = 12
CLOSE = next(iter(KINDS))  # runs of one seed come first


def planes(findings: Findings, metric: str, note: MetricNote | None) -> Iterator[Group]:
    """One group per subject that has grids of two dimensions."""
    subjects: dict[tuple[str, str | None], list[Picture]] = {}
    for picture in findings.pictures:
        if picture.metric == metric and min(len(picture.grid.x), len(picture.grid.y)) > 1:
            subjects.setdefault((picture.procedure, picture.pair_kind), []).append(picture)
    labels = [procedure.label for procedure in findings.procedures]
    names = list(dict.fromkeys([*labels, *(picture.procedure for picture in findings.pictures)]))
    for key in sorted(subjects, key=lambda key: (names.index(key[0]), key[1] != CLOSE)):
        yield _group(subjects[key], note)


def _group(found: Sequence[Picture], note: MetricNote | None) -> Group:
    first = found[0]
    panels = [
        _panel(picture, quantity)
        for quantity in sorted({q for p in found for q in p.grid.z}, key=_order)
        for picture in found
        if quantity in picture.grid.z
    ]
    who = f"{'runs' if len(first.runs) > 1 else 'run'} {' and '.join(first.runs)}"
    kind = f", {KINDS.get(first.pair_kind, first.pair_kind)}" if first.pair_kind else ""
    names = ", ".join(first.grid.marks)
    left_out = f" {len(panels) - SHOWN} more panels are left out." if len(panels) > SHOWN else ""
    return Group(
        title=f"Seen from above: {first.metric}",
        figures=panels[:SHOWN],
        caption=(
            f"{first.procedure}, {who}{kind}: one subject as an example, on "
            f"{len(first.grid.x)} by {len(first.grid.y)} points; {names} are marked. Each panel "
            "has a colour scale of its own, which ends at the 90th centile of what it shows: "
            f"bright areas can be higher still.{left_out}"
        ),
        facts=[*facts(note)[:2], *protocol_facts(first.protocol)],
    )


def _order(quantity: str) -> tuple[int, str]:
    known_one = quantity in QUANTITIES
    return (QUANTITIES.index(quantity) if known_one else len(QUANTITIES), quantity)


def _panel(picture: Picture, quantity: str) -> Figure:
    grid = picture.grid
    rows = grid.z[quantity]
    low, high = _range(rows)
    size = (high - low) / LEVELS
    surface: Trace = {
        "type": "contour",
        "x": known(grid.x),
        "y": known(grid.y),
        "z": [known(_short(value) for value in row) for row in rows],
        "zauto": False,
        "zmin": low,
        "zmax": high,
        "colorscale": [[place / (len(RAMP) - 1), tint] for place, tint in enumerate(RAMP)],
        "contours": {"coloring": "heatmap", "start": low, "end": high, "size": size},
        "line": {"width": 0.6, "color": "rgba(255,255,255,0.45)"},
        "colorbar": {"thickness": 10, "outlinewidth": 0, "nticks": 5, "tickfont": {"size": 11}},
        "hovertemplate": f"({{x}}, {{y}}): {plain(quantity)} {{z}}<extra></extra>".replace(
            "{", "%{"
        ),
        "connectgaps": False,
    }
    axis = numbers_axis() | {"showgrid": False, "zeroline": False, "constrain": "domain"}
    look = layout(axis, axis | {"scaleanchor": "x"}, annotations=_names(picture))
    title = f"{quantity} on {grid.split}" if grid.split else quantity
    return Figure(title, [surface, _marks(picture)], look, 340)


def _short(value: float) -> float:
    """Four figures are enough for a colour, and keep the page small."""
    return float(f"{value:.4g}")


def _range(rows: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Least value and 90th centile of the finite ones, never equal."""
    finite = sorted(value for row in rows for value in row if math.isfinite(value))
    if not finite:
        return 0.0, 1.0
    low, high = finite[0], finite[int(0.9 * (len(finite) - 1))]
    return low, high if high > low else low + max(abs(low), 1.0) * 1e-6


def _marks(picture: Picture) -> Trace:
    marks = picture.grid.marks
    return {
        "type": "scatter",
        "mode": "markers",
        "x": known(x for x, _ in marks.values()),
        "y": known(y for _, y in marks.values()),
        "hovertext": [
            hover(name, f"({figures(x)}, {figures(y)})") for name, (x, y) in marks.items()
        ],
        "hoverinfo": "text",
        "marker": {"size": 9, "color": "#ffffff", "line": {"width": 1.5, "color": "#1d1f24"}},
    }


def _names(picture: Picture) -> list[Trace]:
    """Names above the marks, on a ground of their own: they stand on dark and bright areas."""
    return [
        {
            "x": x,
            "y": y,
            "text": plain(name),
            "showarrow": False,
            "yshift": 17,
            "bgcolor": "rgba(29,31,36,0.7)",
            "borderpad": 2,
            "font": {"size": 11, "color": "#ffffff"},
        }
        for name, (x, y) in picture.grid.marks.items()
        if math.isfinite(x) and math.isfinite(y)
    ]
