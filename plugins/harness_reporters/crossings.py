"""Figures of one split's curve over another's: out of distribution against in-domain."""

from collections.abc import Sequence

from harness.api.findings import Findings, MetricNote
from harness.api.numbers import figures
from harness.api.pictures import MeanCurve
from harness_reporters.axes import axis_of
from harness_reporters.curve_lines import CROWD, Paints, drawn_line, legend_of
from harness_reporters.curves import SHOWN
from harness_reporters.figures import Figure, Group, Trace, colour, layout, template
from harness_reporters.protocols import facts, measured_on
from harness_reporters.values import names_of, splits_in_order, title_of

_Pair = tuple[MeanCurve, MeanCurve]


def against(findings: Findings, found: list[MeanCurve], note: MetricNote | None) -> Group | None:
    """One split's curve over another's, for curves that ask for it: OOD against in-domain."""
    panels: dict[tuple[str, str, str], list[_Pair]] = {}
    splits = splits_in_order(findings, {one.split for one in found})
    for one in sorted(found, key=lambda one: splits.index(one.split)):
        other = next((two for two in found if _partner(one, two)), None)
        if other is not None and one.mean and one.x == other.x:
            panels.setdefault((one.quantity, one.split or "", other.split or ""), [])
            panels[one.quantity, one.split or "", other.split or ""].append((one, other))
    if not panels:
        return None
    ends = found[0].x
    names = names_of(findings, (one.procedure for one in found))
    subjects = max(one.subjects for one in found)
    left_out = f" {len(panels) - SHOWN} more panels are left out." if len(panels) > SHOWN else ""
    quantities = list(dict.fromkeys(quantity for quantity, *_ in panels))
    by_quantity = sorted(panels, key=lambda key: quantities.index(key[0]))
    return Group(
        title="One split against another",
        figures=[_crossing(names, panels[key]) for key in by_quantity[:SHOWN]],
        caption=(
            f"Each line follows the mean over runs (n up to {subjects}) from "
            f"{found[0].axis or 'x'} = {figures(ends[0], 2)}, the open mark, to "
            f"{figures(ends[-1], 2)}; faint lines are single runs, dotted ones join the two ends. "
            f"Of losses and errors, a line below its dotted one is better than the line between "
            f"its ends.{left_out}" + measured_on(note)
        ),
        legend=legend_of([found[0].model_copy(update={"of": "point"})], Paints(names, ())),
        facts=facts(note),
    )


def _partner(one: MeanCurve, two: MeanCurve) -> bool:
    same = ("procedure", "curve", "quantity", "pair_kind")
    return two.split == one.against is not None and all(
        getattr(one, name) == getattr(two, name) for name in same
    )


def _crossing(names: Sequence[str], pairs: Sequence[_Pair]) -> Figure:
    data: list[Trace] = []
    for one, other in pairs:
        place = names.index(one.procedure)
        paint = colour(place)
        if one.subjects > 1 and len(names) <= CROWD:
            below = {line.runs: line for line in other.lines}
            for line in one.lines:
                if line.runs in below:
                    faint = drawn_line(below[line.runs].y, line.y) | {"hoverinfo": "skip"}
                    data.append(faint | {"line": {"color": paint, "width": 1}, "opacity": 0.25})
        chord = drawn_line([other.mean[0], other.mean[-1]], [one.mean[0], one.mean[-1]])
        data.append(chord | {"hoverinfo": "skip", "opacity": 0.7,
                             "line": {"color": paint, "width": 1.2, "dash": "dot"}})  # fmt: skip
        told = template(one.procedure, places="%{customdata}: %{y:.3~g} over %{x:.3~g}")
        signs = ["circle-open", *["circle"] * (len(one.x) - 1)]
        sizes = [10, *[4] * (len(one.x) - 2), 9]
        data.append(
            drawn_line(other.mean, one.mean)
            | {
                "mode": "lines+markers",
                "line": {"color": paint, "width": 2.2},
                "marker": {
                    "color": paint,
                    "symbol": signs,
                    "size": sizes,
                    "line": {"width": [2, *[0] * (len(one.x) - 1)], "color": paint},
                },
                "customdata": [f"{one.axis or 'x'} {figures(x, 2)}" for x in one.x],
                "hovertemplate": told,
            }
        )
    one, other = pairs[0]
    axes = (axis_of(title_of(one.quantity, split), ()) for split in (other.split, one.split))
    return Figure(f"{one.quantity}: {one.split} against {other.split}", data, layout(*axes), 340)
