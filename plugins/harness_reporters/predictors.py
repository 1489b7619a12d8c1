"""What predicts OOD scores: the ladder of baselines, and a forest of predictors beside it."""

from collections.abc import Sequence

from harness.api.findings import Findings
from harness.api.numbers import NOTHING, count, figures, fixed, words
from harness.api.predictors import LadderStep, PredictorTest
from harness_reporters.figures import (
    Figure,
    Group,
    Key,
    Trace,
    hover,
    known,
    layout,
    numbers_axis,
    row_height,
    rows_axis,
)

SHOWN = 12  # predictors in a figure; all are in the table
FAIR, OOD, BASELINE = "@s0", "@s1", "@s2"
LEAST = -1.0
"""R^2 below this is drawn at the edge."""


def predictors(findings: Findings) -> list[Group]:
    """One group of figures per primary OOD split; with several procedures a choice among them."""
    return [
        _group(findings, target)
        for target in findings.primary_ood
        if any(t.target == target and t.tau is not None for t in findings.predictors)
        or any(s.target == target and s.r2 is not None and s.features for s in findings.ladder)
    ]


def _group(findings: Findings, target: str) -> Group:
    tests = [t for t in findings.predictors if t.target == target and t.tau is not None]
    steps = [s for s in findings.ladder if s.target == target]
    names = list(dict.fromkeys([s.procedure for s in steps] + [t.procedure for t in tests]))
    figures_of: list[Figure] = []
    for name in names:
        choice = who(name) if len(names) > 1 else ""
        own = _chosen([t for t in tests if t.procedure == name])
        figures_of.append(_ladder([s for s in steps if s.procedure == name], choice))
        if own:
            figures_of.append(_taus(own, choice))
            if any(t.gain is not None for t in own):
                figures_of.append(_gains(own, choice))
    keys = [Key("saw no OOD data", FAIR), Key("baseline", BASELINE, "square")]
    if any(test.uses_ood for test in tests):
        keys.append(Key("looked at OOD data: no fair competitor", OOD, "diamond-open"))
    return Group(
        title=f"What predicts {target} beyond the in-domain score",
        figures=figures_of,
        caption=_caption(findings, tests, target),
        legend=[("", keys)],
        columns="one",
        choose="runs of",
    )


def who(procedure: str) -> str:
    """Whose runs were asked."""
    return procedure or "all procedures, each within itself"


def _chosen(tests: Sequence[PredictorTest]) -> list[PredictorTest]:
    """The rows of a forest: the best fair ones, then baselines, then the best that saw OOD data."""
    fair = [t for t in tests if not (t.uses_ood or t.baseline)]
    base = [t for t in tests if t.baseline and not t.uses_ood]
    ood = [t for t in tests if t.uses_ood]
    return [
        *sorted(fair, key=lambda t: t.rank)[:SHOWN],
        *sorted(base, key=lambda t: t.rank)[: SHOWN // 3],
        *sorted(ood, key=lambda t: t.rank)[: SHOWN // 2],
    ]


def _ladder(steps: Sequence[LadderStep], choice: str) -> Figure:
    heights = [-place for place in range(len(steps))]
    values = [s.r2 for s in steps]
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": known([None if v is None else max(v, LEAST) for v in values]),
        "y": heights,
        "width": 0.55,
        "marker": {"color": [OOD if s.uses_ood else BASELINE for s in steps]},
        "hovertext": [
            hover(
                s.step,
                f"out-of-fold R² {fixed(s.r2, 3)}{_ends(s.r2_low, s.r2_high)}",
                words(s.features),
                s.note,
            )
            for s in steps
        ],
        "hoverinfo": "text",
        "error_x": _around([(s.r2, s.r2_low, s.r2_high) for s in steps]),
    }
    labels = [s.step if n < 2 else f"+ {s.step}" for n, s in enumerate(steps)]
    notes = [
        {
            "x": max(0.0, value or 0.0, min(step.r2_high or 0.0, -LEAST)) + 0.01,
            "y": height,
            "text": fixed(value, 2) if value is not None else NOTHING,
            "xanchor": "left",
            "showarrow": False,
            "font": {"size": 11, "color": "@muted"},
        }
        for step, value, height in zip(steps, values, heights, strict=True)
    ]
    axis = numbers_axis("out-of-fold R²")
    ends = [end for s in steps for end in (s.r2, s.r2_low, s.r2_high) if end is not None]
    axis |= {"range": _room(ends), "fixedrange": True}
    look = layout(axis, rows_axis(labels), annotations=notes)
    title = "The ladder of baselines"
    return Figure(title, [bars], look, height=70 + 26 * len(steps), choice=choice)


def _room(values: Sequence[float]) -> list[float]:
    low = max(LEAST, min([0.0, *values]))
    return [low - 0.02 if low < 0 else 0.0, max([0.1, *values]) * 1.15]


def _around(found: Sequence[tuple[float | None, float | None, float | None]]) -> Trace:
    """Whiskers of (value, low, high), cut off where the drawing ends; of no length without ends."""
    below, above = [], []
    for value, *ends in found:
        middle = _cut(value or 0.0)
        low, high = (middle if end is None else _cut(end) for end in ends)
        below.append(max(0.0, middle - low))
        above.append(max(0.0, high - middle))
    return {
        "type": "data",
        "symmetric": False,
        "array": above,
        "arrayminus": below,
        "color": "@ink",
        "thickness": 1.2,
        "width": 3,
    }


def _cut(value: float) -> float:
    return min(max(value, LEAST), -LEAST)


def _taus(tests: Sequence[PredictorTest], choice: str) -> Figure:
    heights = list(range(0, -len(tests), -1))
    data: list[Trace] = []
    for what, up, hollow in (("tau", 0.14, False), ("partial", -0.14, True)):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": known([getattr(t, what) for t in tests]),
                "y": [height + up for height in heights],
                "hovertext": [_hover(t) for t in tests],
                "hoverinfo": "text",
                "marker": {
                    "size": 9,
                    "color": [_paint(t) for t in tests],
                    "symbol": [_sign(t, hollow=hollow) for t in tests],
                    "line": {"width": 1.4},
                },
            }
        )
    axis = numbers_axis("tau above, partial below")
    axis |= {"range": [-1.05, 1.05], "fixedrange": True, "zeroline": True}
    notes = [
        {
            "x": 1.04,
            "y": height,
            "text": f"p {figures(t.verdict, 2)}",
            "xanchor": "right",
            "showarrow": False,
            "font": {"size": 11, "color": "@ink" if t.verdict <= 0.05 else "@muted"},
        }
        for t, height in zip(tests, heights, strict=True)
    ]
    labels = [_name(t) for t in tests]
    rows = rows_axis(labels)
    title = "How closely each goes together with the score"
    look = layout(axis, rows, annotations=notes)
    return Figure(title, data, look, height=76 + row_height(labels, 30) * len(tests), choice=choice)


def _gains(tests: Sequence[PredictorTest], choice: str) -> Figure:
    own = [t for t in tests if t.gain is not None and not t.baseline]
    middle = [_cut(t.gain or 0.0) for t in own]
    points: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": known(middle),
        "y": [-place for place in range(len(own))],
        "hovertext": [_hover(t) for t in own],
        "hoverinfo": "text",
        "marker": {
            "size": 9,
            "color": [_paint(t) for t in own],
            "symbol": [_sign(t, hollow=False) for t in own],
        },
        "error_x": _around([(t.gain, t.gain_low, t.gain_high) for t in own]),
    }
    axis = numbers_axis("added to out-of-fold R²")
    axis |= {"range": [LEAST - 0.05, 0.05 - LEAST], "fixedrange": True, "zeroline": True}
    labels = [_name(t) for t in own]
    look = layout(axis, rows_axis(labels))
    title = "What each adds to the baselines"
    return Figure(
        title, [points], look, height=70 + row_height(labels, 28) * len(own), choice=choice
    )


def _name(test: PredictorTest) -> str:
    """The predictor's name on two lines at most: what, and where."""
    what, on, where = test.predictor.partition(" on ")
    what, comma, pairs = what.partition(", ")
    rest = ", ".join(filter(None, (on.strip() + " " + where if on else "", pairs if comma else "")))
    return f"{what} · {rest}" if rest else what


def _paint(test: PredictorTest) -> str:
    return OOD if test.uses_ood else BASELINE if test.baseline else FAIR


def _sign(test: PredictorTest, *, hollow: bool) -> str:
    sign = "diamond" if test.uses_ood else "square" if test.baseline else "circle"
    return f"{sign}-open" if hollow or test.uses_ood else sign


def _hover(test: PredictorTest) -> str:
    return hover(
        test.predictor,
        f"tau {fixed(test.tau, 2)}, p {figures(test.p, 2)}, best of {test.tried} "
        f"{figures(test.p_family, 2)}",
        f"given the baselines {fixed(test.partial, 2)}, p {figures(test.partial_p, 2)}, best of "
        f"{test.tried} {figures(test.partial_p_family, 2)}",
        f"adds to R² {fixed(test.gain, 2)}{_ends(test.gain_low, test.gain_high)}",
        test.note,
    )


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None else f" ({fixed(low, 2)} to {fixed(high, 2)})"


def _caption(findings: Findings, tests: Sequence[PredictorTest], target: str) -> str:
    if not tests:
        return f"How far the baselines predict {findings.primary_score} on {target}, by run."
    first = tests[0]
    out = f" ({first.planned - first.runs} left out)" if first.runs < first.planned else ""
    reach = ""
    if first.least_p is not None and first.least_p * first.permutations > 1.5:
        reach = f" With so few seeds no p below {figures(first.least_p, 2)} can be reached."
    held = ""
    if not first.procedure:
        held = ", each as its distance from the mean of its procedure (on the ladder as it is)"
    shown = f" At most {SHOWN} fair predictors are drawn; the table has all."
    return (
        f"{findings.primary_score} on {target} of {count(first.runs, 'run')}{out} of "
        f"{count(first.clusters, first.unit)}{held}. On the ladder each step "
        f"stands with all above it. R² is of runs whose {first.unit} the regression "
        "never saw: below 0 is worse than the mean; what lies beyond ±1 stands at "
        "the edge. Tau is Kendall's, partial the rank correlation given the baselines. p at "
        f"the right is for the best of all that were tried ({first.tried} fair ones), given the "
        f"baselines, by rearranging whole seeds {first.permutations:,} times.{reach} Whiskers are "
        f"95 % intervals over {first.unit}s drawn anew; below ten seeds they show the spread and "
        f"no more.{shown}"
    )
