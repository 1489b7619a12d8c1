"""Grids of metrics as heat maps and surfaces, all splits of one subject side by side."""

import math
from collections.abc import Iterator, Sequence

from harness.api.findings import Findings, MetricNote
from harness.api.pictures import Picture
from harness_reporters.axes import axis_of
from harness_reporters.figures import Figure, Group, Trace, known, layout, numbers_axis, short
from harness_reporters.protocols import KINDS, facts, protocol_facts
from harness_reporters.surfaces import colours, marks, names, surface

QUANTITIES = ("error", "loss")
SHOWN = 8  # panels of one subject
NUMBERS = 40_000  # of all grids of one metric
LEVELS = 12
ALIKE = 3.0  # scales that differ by less than this factor are shown as one

_Subject = tuple[str, str | None, tuple[str, ...]]
_Range = tuple[float, float]


def planes(findings: Findings, metric: str, note: MetricNote | None) -> Iterator[Group]:
    """One group of all subjects that are drawn; grids of one row or column are left out."""
    subjects: dict[_Subject, list[Picture]] = {}
    for picture in findings.pictures:
        if picture.metric == metric and min(len(picture.grid.x), len(picture.grid.y)) > 1:
            key = (picture.procedure, picture.pair_kind, picture.runs)
            subjects.setdefault(key, []).append(picture)
    if not subjects:
        return
    labels = [procedure.label for procedure in findings.procedures]
    kinds = [*KINDS, None]
    order = sorted(
        subjects,
        key=lambda key: (
            labels.index(key[0]) if key[0] in labels else len(labels),
            kinds.index(key[1]) if key[1] in kinds else len(kinds),
        ),
    )
    yield _group(_first_of_each([subjects[key] for key in order]), note)


def _first_of_each(subjects: list[list[Picture]]) -> list[list[Picture]]:
    """Subjects whose numbers fit, in their order; first of all one of each procedure and kind."""
    seen: dict[tuple[str, str | None], int] = {}
    rank = []
    for place, found in enumerate(subjects):
        kind = (found[0].procedure, found[0].pair_kind)
        rank.append((seen.get(kind, 0), place))
        seen[kind] = seen.get(kind, 0) + 1
    kept: list[int] = []
    left = NUMBERS
    for _, place in sorted(rank):
        left -= sum(len(p.grid.x) * len(p.grid.y) * len(p.grid.z) for p in subjects[place])
        if kept and left < 0:
            break
        kept.append(place)
    return [subjects[place] for place in sorted(kept)]


def _group(subjects: list[list[Picture]], note: MetricNote | None) -> Group:
    first = subjects[0][0]
    several = len(subjects) > 1
    drawn = [
        panel for found in subjects for panel in _panels(found, _who(found[0]) if several else "")
    ]
    of = sum({(p.procedure, p.pair_kind): p.subjects for s in subjects for p in s}.values())
    what = {"pair": "pair", "point": "run", "trajectory": "run"}.get(first.of, "group")
    most = max(len(_titles(found)) for found in subjects)
    left_out = f" {most - SHOWN} more panels are left out." if most > SHOWN else ""
    marked = f"; {', '.join(first.grid.marks)} are marked" if first.grid.marks else ""
    examples = f"{len(subjects)} of {of} {what}s, spread over the seeds" if of > 1 else _who(first)
    return Group(
        title="Seen from above" if first.grid.axes is None else "As grids",
        figures=drawn,
        caption=(
            f"{examples}: examples and no summary. {len(first.grid.x)} by {len(first.grid.y)} "
            f"points{marked}. {_where(subjects[0])}Panels of one quantity share a scale of colours "
            "where their ranges are alike, otherwise each has its own (\u201cown scale\u201d). A "
            "scale ends at the 90th centile of what is shown: bright areas can be higher still, "
            f"and surfaces are cut off there.{left_out}"
        ),
        facts=[*facts(note)[:2], *protocol_facts(first.protocol)],
        choose=what,
    )


def _where(found: Sequence[Picture]) -> str:
    splits = list(dict.fromkeys(p.grid.split for p in found if p.grid.split))
    return f"Split{'s' if len(splits) > 1 else ''}: {', '.join(splits)}. " if splits else ""


def _who(picture: Picture) -> str:
    runs = picture.runs
    who = f"{'runs' if len(runs) > 1 else 'run'} {' and '.join(runs[:3])}"
    kind = f", {KINDS.get(picture.pair_kind, picture.pair_kind)}" if picture.pair_kind else ""
    return f"{picture.procedure}, {who}{kind}"


def _titles(found: Sequence[Picture]) -> list[tuple[Picture, str]]:
    """What is drawn of a subject: its grids by quantity, splits side by side."""
    present = dict.fromkeys(quantity for p in found for quantity in p.grid.z)
    quantities = [q for q in QUANTITIES if q in present]
    quantities += [q for q in present if q not in QUANTITIES]
    return [(p, quantity) for quantity in quantities for p in found if quantity in p.grid.z]


def _panels(found: Sequence[Picture], choice: str) -> list[Figure]:
    shown = _titles(found)[:SHOWN]
    several = len({p.grid.name for p in found}) > 1
    scales: dict[str, _Range | None] = {}
    for quantity in dict.fromkeys(quantity for _, quantity in shown):
        ranges = [_range(p.grid.z[quantity]) for p, q in shown if q == quantity]
        scales[quantity] = _shared(ranges)
    return [
        _panel(
            picture,
            quantity,
            scales[quantity],
            (f"{picture.grid.name}: " if several else "", choice),
        )
        for picture, quantity in shown
    ]


def _shared(ranges: Sequence[_Range]) -> _Range | None:
    """One range for all where that hides none of them: extents within a factor of three."""
    extents = [high - low for low, high in ranges]
    whole = min(low for low, _ in ranges), max(high for _, high in ranges)
    return whole if whole[1] - whole[0] <= ALIKE * min(extents) else None


def _panel(picture: Picture, quantity: str, scale: _Range | None, words: tuple[str, str]) -> Figure:
    grid = picture.grid
    rows = grid.z[quantity]
    low, high = scale or _range(rows)
    size = (high - low) / LEVELS
    first, second = grid.axes or ("", "")
    heat: Trace = {
        "type": "contour",
        "x": known(grid.x),
        "y": known(grid.y),
        "z": [known(short(value) for value in row) for row in rows],
        "zauto": False,
        "zmin": low,
        "zmax": high,
        **colours(),
        "contours": {"coloring": "heatmap", "start": low, "end": high, "size": size},
        "line": {"width": 0.6, "color": "rgba(255,255,255,0.45)"},
        "hovertemplate": "(%{x:.3~g}, %{y:.3~g}): %{z:.3~g}<extra></extra>",
        "connectgaps": False,
    }
    if "x" in grid.labels or "y" in grid.labels:  # nothing lies between two things
        heat |= {"type": "heatmap", "xgap": 1, "ygap": 1}
        del heat["contours"], heat["line"], heat["connectgaps"]
    still = {"showgrid": False, "zeroline": False, "constrain": "domain"}
    across = axis_of(first, grid.x, grid.labels.get("x", ())) | still
    up = axis_of(second, grid.y, grid.labels.get("y", ())) | still
    if grid.axes is None:
        across, up = numbers_axis() | still, numbers_axis() | still | {"scaleanchor": "x"}
    look = layout(across, up, annotations=names(grid))
    prefix, choice = words
    title = f"{prefix}{quantity} on {grid.split}" if grid.split else f"{prefix}{quantity}"
    title += "" if scale else " (own scale)"
    solid = surface(grid, quantity, (low, high)) if not grid.labels else None
    return Figure(title, [heat, *marks(grid)], look, _height(picture), choice, solid)


def _height(picture: Picture) -> int:
    """Pixels for a plane whose units are the same in both directions, on half a page's width."""
    grid = picture.grid
    wide, deep = max(grid.x) - min(grid.x), max(grid.y) - min(grid.y)
    if grid.axes is not None or not wide > 0 or not math.isfinite(deep / wide):
        return 340
    return round(min(380, max(190, 60 + 340 * deep / wide)))


def _range(rows: Sequence[Sequence[float]]) -> _Range:
    """Least value and 90th centile of the finite ones, never equal."""
    finite = sorted(value for row in rows for value in row if math.isfinite(value))
    if not finite:
        return 0.0, 1.0
    low, high = finite[0], finite[int(0.9 * (len(finite) - 1))]
    return low, high if high > low else low + max(abs(low), 1.0) * 1e-6
