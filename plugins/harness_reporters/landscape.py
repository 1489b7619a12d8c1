"""Figures of landscape metrics: values of pairs and points, and mean curves along paths."""

from collections.abc import Iterator, Sequence

from harness.api.findings import Findings, MetricNote, ReadingValue
from harness.api.numbers import count, figures
from harness.api.pictures import MeanCurve
from harness_reporters.figures import (
    Figure,
    Group,
    Key,
    Trace,
    bands,
    colour,
    hover,
    known,
    layout,
    mean_tick,
    numbers_axis,
    points,
    row_height,
    rows_axis,
    spread_within,
    symbol,
)
from harness_reporters.planes import planes
from harness_reporters.protocols import KINDS, fact, facts
from harness_reporters.scores import pretrain_seeds, procedures, seed_legend

DASHES = ("solid", "dash", "dot", "dashdot")
SHOWN = 8  # panels of one metric


def landscape(findings: Findings) -> Iterator[Group]:
    """Per metric: its values, and its curves where it has some."""
    for metric in dict.fromkeys(reading.metric for reading in findings.readings):
        of = [r for r in findings.readings if r.metric == metric]
        note = next((n for n in findings.metrics if n.metric == metric), None)
        yield _pairs(findings, of, note) if of[0].of == "pair" else _others(findings, of, note)
        curves = [c for c in findings.curves if c.metric == metric]
        if curves:
            yield _curves(findings, metric, curves)
        yield from planes(findings, metric, note)


def measured(findings: Findings) -> list[str]:
    """Labels of the procedures in the suite's order, then those of metrics across several."""
    return list(dict.fromkeys([*procedures(findings), *(r.procedure for r in findings.readings)]))


def _panels(readings: Sequence[ReadingValue]) -> list[list[ReadingValue]]:
    groups: dict[tuple[str | None, str], list[ReadingValue]] = {}
    for reading in readings:
        groups.setdefault((reading.split, reading.name), []).append(reading)
    return list(groups.values())


def _title(name: str, split: str | None) -> str:
    return f"{name} on {split}" if split else name


def _how(note: MetricNote | None, panels: int) -> str:
    about = f" {note.about.rstrip('.')}." if note is not None and note.about else ""
    left_out = f" {panels - SHOWN} more values are in the table." if panels > SHOWN else ""
    examples = fact((note.protocol if note else {}).get("examples"))
    return about + (f" Measured on {examples} examples." if examples else "") + left_out


def _pairs(findings: Findings, of: list[ReadingValue], note: MetricNote | None) -> Group:
    panels = _panels(of)
    pairs = len({(r.procedure, r.runs) for r in of})
    return Group(
        title=f"Between runs: {of[0].metric}",
        figures=[_pair_panel(findings, panel) for panel in panels[:SHOWN]],
        caption=(
            f"Each point is one pair of runs of one procedure ({count(pairs, 'pair')} in all); "
            "upright lines are means. Same seed: both runs start from one pretraining seed (one "
            "draw of initial weights where nothing is pretrained). Pairs share runs, so points are "
            f"no independent observations.{_how(note, len(panels))}"
        ),
        legend=[("pairs of runs with", _kinds())],
        facts=facts(note),
    )


def _kinds() -> list[Key]:
    return [Key(kind, f"@k{place}") for place, kind in enumerate(KINDS.values())]


def _pair_panel(findings: Findings, panel: Sequence[ReadingValue]) -> Figure:
    rows = [
        (name, kind)
        for name in measured(findings)
        for kind in sorted({r.pair_kind for r in panel}, key=_kind_order)
        if any((r.procedure, r.pair_kind) == (name, kind) for r in panel)
    ]
    data: list[Trace] = []
    for place, (name, kind) in enumerate(rows):
        here = [r for r in panel if (r.procedure, r.pair_kind) == (name, kind)]
        paint = list(KINDS).index(kind) if kind in KINDS else 2
        heights = [-place + spread_within(i % 5, 5, 0.5) for i in range(len(here))]
        data.append(
            points(
                [r.value for r in here],
                heights,
                [_pair_text(r) for r in here],
                color=f"@k{paint}",
                size=8,
            )
        )
        data += _mean(here, -place)
    labels = [f"{name}, {KINDS.get(kind or '', kind or '').split(' ')[0]}" for name, kind in rows]
    look = layout(numbers_axis(), rows_axis(labels), shapes=bands(len(rows)))
    return Figure(
        _title(panel[0].name, panel[0].split), data, look, 56 + row_height(labels, 38) * len(rows)
    )


def _kind_order(kind: str | None) -> tuple[int, str]:
    return (list(KINDS).index(kind) if kind in KINDS else len(KINDS), kind or "")


def _pair_text(reading: ReadingValue) -> str:
    return hover(
        f"{reading.procedure}: runs {' and '.join(reading.runs)}",
        f"{reading.name} {figures(reading.value)}" + _error(reading),
    )


def _error(reading: ReadingValue) -> str:
    text = f" (se {figures(reading.standard_error, 2)})" if reading.standard_error else ""
    return text + ("" if reading.converged else ", not converged")


def _mean(here: Sequence[ReadingValue], y: float) -> list[Trace]:
    values = [r.value for r in here]
    if not values or None in known(values):
        return []  # a mean over what is left would hide the rest
    mean = sum(values) / len(values)
    return mean_tick(mean, y, 0.36, hover(f"mean {figures(mean)}", f"n {len(values)}"))


def _others(findings: Findings, of: list[ReadingValue], note: MetricNote | None) -> Group:
    panels = _panels(of)
    what = "run" if of[0].of == "point" else of[0].of
    return Group(
        title=f"Around single runs: {of[0].metric}" if what == "run" else of[0].metric,
        figures=[_point_panel(findings, panel) for panel in panels[:SHOWN]],
        caption=(
            f"Each point is one {what} ({count(len({(r.procedure, r.runs) for r in of}), what)} in "
            "all); within a row, runs of one seed stand at one height. Upright lines are means."
            f"{_how(note, len(panels))}"
        ),
        legend=seed_legend(findings),
        columns="three",
        facts=facts(note),
    )


def _point_panel(findings: Findings, panel: Sequence[ReadingValue]) -> Figure:
    names = [n for n in measured(findings) if any(r.procedure == n for r in panel)]
    seeds = pretrain_seeds(findings) or [0]
    data: list[Trace] = []
    for place, name in enumerate(names):
        here = [r for r in panel if r.procedure == name]
        orders = [_seed_place(r, seeds) for r in here]
        data.append(
            points(
                [r.value for r in here],
                [-place + spread_within(order, len(seeds), 0.56) for order in orders],
                [
                    hover(
                        f"{name}, run {' '.join(r.runs)}",
                        f"{r.name} {figures(r.value)}" + _error(r),
                    )
                    for r in here
                ],
                color=[colour(order) for order in orders],
                symbol=symbol(measured(findings).index(name)),
            )
        )
        data += _mean(here, -place)
    look = layout(numbers_axis(), rows_axis(names), shapes=bands(len(names)))
    return Figure(
        _title(panel[0].name, panel[0].split), data, look, 56 + row_height(names, 52) * len(names)
    )


def _seed_place(reading: ReadingValue, seeds: Sequence[int]) -> int:
    first = reading.runs[0].split("/")[0]
    return seeds.index(int(first)) if first.isdigit() and int(first) in seeds else 0


def _curves(findings: Findings, metric: str, curves: Sequence[MeanCurve]) -> Group:
    panels: dict[tuple[str | None, str], list[MeanCurve]] = {}
    for curve in curves:
        panels.setdefault((curve.split, curve.quantity), []).append(curve)
    names = measured(findings)
    subjects = sum(c.subjects for c in next(iter(panels.values())))
    return Group(
        title=f"Along the way: {metric}",
        figures=[_curve_panel(names, found) for found in list(panels.values())[:SHOWN]],
        caption=(
            f"Mean over pairs at each point of the straight line between two runs ({subjects} "
            "pairs per panel); bands reach from the least to the greatest pair. At 0 and 1 stand "
            "the runs themselves."
        ),
        legend=[
            ("pairs of runs with", _kinds()),
            ("procedure", [Key(n, "@muted", DASHES[i % len(DASHES)]) for i, n in enumerate(names)]),
        ],
    )


def _curve_panel(names: Sequence[str], curves: Sequence[MeanCurve]) -> Figure:
    data: list[Trace] = []
    for curve in curves:
        paint = list(KINDS).index(curve.pair_kind) if curve.pair_kind in KINDS else 2
        edge = {"width": 0, "color": f"@k{paint}"}
        shared: Trace = {"type": "scatter", "mode": "lines", "x": list(curve.x)}
        skip: Trace = {"hoverinfo": "skip", "line": edge}
        data.append(shared | skip | {"y": known(curve.maximum)})
        data.append(
            shared
            | skip
            | {"y": known(curve.minimum), "fill": "tonexty", "fillcolor": f"@b{paint}"}
        )
        dash = DASHES[list(names).index(curve.procedure) % len(DASHES)]
        kind = KINDS.get(curve.pair_kind or "", curve.pair_kind or "")
        line = shared | {
            "y": known(curve.mean),
            "line": {"color": f"@k{paint}", "width": 2, "dash": dash},
            "hovertext": [
                hover(
                    f"{curve.procedure}, {kind}",
                    f"at {figures(x, 2)}: {figures(y)}",
                    f"{curve.subjects} pairs",
                )
                for x, y in zip(curve.x, curve.mean, strict=True)
            ],
            "hoverinfo": "text",
        }
        data.append(line)
    first = curves[0]
    look = layout(numbers_axis("position between the two runs"), numbers_axis())
    return Figure(_title(first.quantity, first.split), data, look, 280)
