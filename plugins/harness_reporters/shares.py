"""The figure of variance shares: stacked bars with the interval of the first share."""

from collections.abc import Sequence

from harness.api.findings import Findings
from harness.api.numbers import NOTHING, TIMES, count, figures, percent, percents
from harness.api.variance import VarianceShare
from harness_reporters.figures import (
    Figure,
    Group,
    Key,
    hover,
    known,
    layout,
    numbers_axis,
    rows_axis,
)


def shares(findings: Findings) -> Group | None:
    """Stacked bars of variance shares, one figure per procedure."""
    found = [s for s in findings.variance if s.score == findings.primary_score]
    if not any(share.pretrain is not None for share in found):
        return None
    names = list(dict.fromkeys(share.procedure for share in found))
    keys = [
        Key("pretraining or initial-weight seed", "@s0", "block"),
        Key("fine-tuning seed", "@s1", "block"),
    ]
    if any(share.order is not None for share in found):
        keys.append(Key("order seed", ORDER, "block"))
    if any(share.interaction is not None for share in found):
        keys.append(Key("rest", "@s2", "block"))
    return Group(
        title="Which seed carries the variance",
        figures=[_bars(name, [s for s in found if s.procedure == name]) for name in names],
        caption=_caption(findings.primary_score, found),
        legend=[("", keys)],
    )


ORDER = "@c4"


def _caption(score: str, found: Sequence[VarianceShare]) -> str:
    first = found[0]
    seeds = [first.pretrain_seeds, first.finetune_seeds, *[first.order_seeds] * bool(first.order)]
    how = "balanced analysis of variance"
    if any(share.method == "reml" for share in found):
        how += ", or REML where runs are missing or there are three kinds of seeds"
    rest = "The rest is interaction of the seeds, noise of the test set and everything else."
    if all(share.interaction is None for share in found):
        rest = (
            "Nested: fine-tuning seeds differ under each pretraining seed, and their share holds "
            "all that differs within one, noise of the test set included."
        )
    told = [share for share in found if share.pretrain is not None]
    little = sum(share.says_little for share in told)
    few = f" {little} of {count(len(told), 'interval')} say next to nothing." if little else ""
    return (
        f"Shares of the variance of {score} over runs ({how}; "
        f"{f' {TIMES} '.join(map(str, seeds))} seeds, one run each; negative estimates shown as "
        "0). The whisker is the 95 % interval of the first share; hover for the others, or see the "
        f"table.{few} "
        f"{rest} At the right: the first share, and the sd over runs (a share of a tiny sd is a "
        "share of little). A dash: the shares cannot be told."
    )


def _bars(title: str, found: Sequence[VarianceShare]) -> Figure:
    data = []
    heights = [-place for place in range(len(found))]
    parts = (
        ("pretraining or initial-weight seed", "@s0", "pretrain"),
        ("fine-tuning seed", "@s1", "finetune"),
        ("order seed", ORDER, "order"),
        ("rest", "@s2", "interaction"),
    )
    for part, paint, name in parts:
        values: list[float | None] = [getattr(s, name) for s in found]
        ends: list[tuple[float, float] | None] = [getattr(s, f"{name}_range") for s in found]
        if not any(value is not None for value in values):
            continue
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": known([None if v is None else 100 * v for v in values]),
                "y": heights,
                "width": 0.62,
                "marker": {"color": paint, "line": {"width": 0}},
                "hovertext": [
                    hover(
                        f"{part}: {percents(v, e)}",
                        f"sd over runs {figures(s.total_sd, 2)}",
                        s.note,
                    )
                    for s, v, e in zip(found, values, ends, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
    data.append(_whiskers(found, heights))
    notes = [
        {
            "x": 101 if s.pretrain is not None else 1,
            "y": height,
            "text": NOTHING
            if s.pretrain is None
            else f"{percent(s.pretrain)}<br>sd {figures(s.total_sd, 2)}",
            "xanchor": "left",
            "align": "left",
            "showarrow": False,
            "font": {"size": 10, "color": "@muted"},
        }
        for s, height in zip(found, heights, strict=True)
    ]
    marks = {"tickvals": [0, 25, 50, 75, 100], "ticktext": ["0", "25", "50", "75", "100 %"]}
    axis = numbers_axis() | marks | {"range": [0, 130], "fixedrange": True}
    rows = rows_axis([s.split for s in found])
    look = layout(axis, rows, barmode="stack", annotations=notes)
    return Figure(title=title, data=data, layout=look, height=60 + 30 * len(found))


def _whiskers(found: Sequence[VarianceShare], heights: Sequence[int]) -> dict[str, object]:
    """The interval of the first share, drawn over all bars; it need not lie evenly around it."""
    shown = [
        (100 * s.pretrain, [100 * end for end in s.pretrain_range], height)
        for s, height in zip(found, heights, strict=True)
        if s.pretrain is not None and s.pretrain_range is not None
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [value for value, _, _ in shown],
        "y": [height for _, _, height in shown],
        "marker": {"size": 1, "color": "@ink"},
        "hoverinfo": "skip",
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, high - value) for value, (_, high), _ in shown],
            "arrayminus": [max(0.0, value - low) for value, (low, _), _ in shown],
            "color": "@ink",
            "thickness": 1,
            "width": 3,
        },
    }
