"""Figures of metrics' curves: their mean over pairs or runs, and the curves of single runs."""

from collections.abc import Sequence

from harness.api.findings import Findings, MetricNote
from harness.api.pictures import MeanCurve
from harness_reporters.axes import (
    axis_of,
    log_range,
    logarithmic,
    many_decades,
    positive_decade,
    widened,
)
from harness_reporters.curve_lines import (
    CROWD,
    THRESHOLD,
    Paints,
    is_threshold,
    legend_of,
    of_pairs,
    of_runs,
    runs_alone,
    subject_word,
    threshold_line,
)
from harness_reporters.figures import Figure, Group, Trace, layout
from harness_reporters.protocols import facts, measured_on
from harness_reporters.scores import pretrain_seeds
from harness_reporters.values import names_of, splits_in_order, title_of

SHOWN = 8  # panels at a time
MOST = 48  # panels of one metric

_Panel = tuple[str, str, str | None, str]  # curve, quantity, split, procedure if of one alone


def curves(findings: Findings, found: list[MeanCurve], note: MetricNote | None) -> Group:
    """Every quantity along every path, one panel per split."""
    panels = _panels(findings, found)
    names = names_of(findings, (one.procedure for one in found))
    paints = Paints(names, pretrain_seeds(findings))
    several = len(panels) > SHOWN
    drawn = [
        _panel(paints, panel, found, _choice(panel[0], found) if several else "")
        for panel in list(panels.values())[:MOST]
    ]
    axes = dict.fromkeys(one.axis or one.curve for one in found)
    left_out = f" {len(panels) - MOST} more panels are left out." if len(panels) > MOST else ""
    return Group(
        title=f"Curves over {_listed(list(axes))}",
        figures=drawn,
        caption=_caption(found, len(names)) + _scales(found, drawn) + left_out + measured_on(note),
        legend=legend_of(found, paints),
        facts=facts(note),
        choose="curve",
    )


def _scales(found: Sequence[MeanCurve], drawn: Sequence[Figure]) -> str:
    limits = any(one.quantity == THRESHOLD for one in found)
    dotted = " Dotted: the threshold." if limits else ""
    axes = (figure.layout[axis] for figure in drawn for axis in ("xaxis", "yaxis"))
    logarithmic_ones = any(axis.get("type") == "log" for axis in axes)
    factors = " Axes whose numbers grow by factors are logarithmic." if logarithmic_ones else ""
    return dotted + factors


def _panels(findings: Findings, found: Sequence[MeanCurve]) -> dict[_Panel, list[MeanCurve]]:
    """Curves that share a panel; those of one path and quantity stand side by side."""
    order = splits_in_order(findings, {one.split for one in found})
    paths = dict.fromkeys(
        (one.curve, one.quantity) for one in found if not is_threshold(one, found)
    )
    panels: dict[_Panel, list[MeanCurve]] = {}
    for curve, quantity in paths:
        for split in order:
            for one in found:
                if (one.curve, one.quantity, one.split) == (curve, quantity, split):
                    # without a mean there are many lines: each procedure has a panel of its own
                    owner = one.procedure if runs_alone(one) else ""
                    panels.setdefault((curve, quantity, split, owner), []).append(one)
    return panels


def _choice(one: MeanCurve, found: Sequence[MeanCurve]) -> str:
    several = len({other.curve for other in found}) > 1
    return f"{one.curve}: {one.quantity}" if several else one.quantity


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _caption(found: Sequence[MeanCurve], procedures: int) -> str:
    what = subject_word(found[0].of)
    numbers = sorted({one.subjects for one in found})
    each = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    per = "procedure and kind of pair" if what == "pair" else "procedure"
    means = any(one.mean for one in found)
    lines = max(len(one.lines) for one in found)
    told = ""
    if means and numbers[-1] > 1:
        told = f"Mean over {what}s at each point"
        if what == "pair":
            told += "; bands reach from the least to the greatest pair"
        told += f" (n {each} per {per}). "
    elif means:
        told = f"One {what} per {per}. "
    if what == "pair" and {one.axis for one in found} == {"alpha"}:
        told += "At 0 and 1 stand the two runs themselves. "
    if what != "pair" and numbers[-1] > 1 and (procedures <= CROWD or not means):
        drawn = "" if lines >= numbers[-1] else f", {lines} of {each}, spread over the seeds"
        told += f"{'Faint' if means else 'Lines'}: the single {what}s{drawn}. "
    if not means and numbers[-1] > 1:
        told += (
            f"Their points lie at places of their own, so there is no mean (n {each} per {per}). "
        )
    return told.strip()


def _panel(
    paints: Paints, panel: Sequence[MeanCurve], found: Sequence[MeanCurve], choice: str
) -> Figure:
    data: list[Trace] = []
    for one in panel:
        data += of_pairs(one, paints) if one.of == "pair" else of_runs(one, paints)
    first = panel[0]
    of = (first.curve, first.quantity, first.split)
    limits = [
        one
        for one in found
        if is_threshold(one, found) and (one.curve, one.split) == (first.curve, first.split)
    ]
    data += [threshold_line(one, paints) for one in limits]
    peers = [one for one in found if (one.curve, one.quantity, one.split) == of]
    heights = [y for one in peers for y in (*one.mean, *(y for line in one.lines for y in line.y))]
    places = first.x or tuple(sorted(x for one in peers for line in one.lines for x in line.x))
    across = axis_of(first.axis or first.curve, places, first.labels)
    up = axis_of(first.quantity, ())
    heights += [y for one in limits for y in one.mean]
    powers = (across.get("type") == "log" or limits) and positive_decade(heights)
    if many_decades(heights) or powers:
        up |= logarithmic(heights) | {"range": log_range(heights)}
    name = first.quantity if first.curve in ("line", first.quantity) else _path(first)
    title = title_of(name, first.split)
    if runs_alone(first):  # one panel per procedure: they share their axes
        title = f"{first.procedure}: {title}"
        across |= {} if across.get("type") == "log" else {"range": widened(places)}
        up |= {} if up.get("type") == "log" else {"range": widened(heights)}
    tall = 320 if first.labels else 290
    return Figure(title, data, layout(across, up), tall, choice)


def _path(one: MeanCurve) -> str:
    return f"{one.curve}: {one.quantity}"
