"""Figures of learning: training losses over steps, the mean of each procedure in its band."""

from collections.abc import Sequence

from harness.api.findings import Findings
from harness.api.numbers import count
from harness.api.pictures import MeanCurve
from harness_reporters.axes import axis_of, log_range, logarithmic, positive_decade
from harness_reporters.curve_lines import DASHES, drawn_line
from harness_reporters.figures import Figure, Group, Key, Trace, colour, faint, layout, template
from harness_reporters.values import names_of


def learning(findings: Findings) -> Group | None:
    """One panel per stage of training; None where no loss was logged."""
    found = findings.learning
    if not found:
        return None
    stages = list(dict.fromkeys(one.curve for one in found))
    figures: list[Figure] = []
    legend: list[tuple[str, list[Key]]] = []
    for stage in stages:
        here = [one for one in found if one.curve == stage]
        names = names_of(findings, (one.procedure for one in here))
        figures.append(_panel(here, names))
        if len(names) > 1 or stage == stages[-1]:
            word = "procedure" if stage == stages[-1] else "pretrained model"
            legend.append((word, [Key(name, *_look(i)) for i, name in enumerate(names)]))
    return Group(
        title="Training losses",
        figures=figures,
        caption=_caption(found, figures),
        legend=legend[::-1],
    )


def _look(place: int) -> tuple[str, str]:
    return colour(place), DASHES[place // 8 % len(DASHES)]


def _panel(found: Sequence[MeanCurve], names: Sequence[str]) -> Figure:
    data: list[Trace] = []
    for one in found:
        place = names.index(one.procedure)
        edge: Trace = {"hoverinfo": "skip", "line": {"width": 0, "color": colour(place)}}
        told = template(f"{one.procedure}, mean of {one.subjects}", places="step %{x}: %{y:.3~g}")
        paint, dash = _look(place)
        mean = {"color": paint, "width": 2, "dash": dash}
        if one.subjects > 1:
            ground = {"fill": "tonexty", "fillcolor": faint(place)}
            data.append(drawn_line(one.x, one.maximum) | edge)
            data.append(drawn_line(one.x, one.minimum) | edge | ground)
        data.append(drawn_line(one.x, one.mean) | {"line": mean, "hovertemplate": told})
    heights = [y for one in found for y in (*one.minimum, *one.maximum) if y == y]
    up = axis_of("training loss", ())
    if positive_decade(heights):
        up |= logarithmic(heights) | {"range": log_range(heights, 4)}
    numbers = [one.subjects for one in found]
    title = f"{found[0].curve} (n {' and '.join(map(str, dict.fromkeys(numbers)))})"
    return Figure(title, data, layout(axis_of("step", ()), up), 290)


def _caption(found: Sequence[MeanCurve], figures: Sequence[Figure]) -> str:
    steps = max(len(one.x) for one in found)
    trainings = sum(one.subjects for one in found)
    holes = any(y != y for one in found for y in one.mean)
    scale = any(figure.layout["yaxis"].get("type") == "log" for figure in figures)
    return (
        f"Training loss of single batches at {steps} of the steps, {count(trainings, 'training')}: "
        "the mean over seeds in a band from the least to the greatest, which is no confidence "
        "band. Measured in training, before the step is taken, with dropout and augmentation as "
        "trained with; a pretraining is counted once, however many runs start from it."
        + (" A mean ends where the first training diverged." if holes else "")
        + (" Losses that fall by factors have a logarithmic axis." if scale else "")
    )
