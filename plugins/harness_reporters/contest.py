"""Figures of procedures against each other: a forest plot for every split, and their standings."""

from collections.abc import Sequence

from harness.api.comparisons import Comparison, SplitComparison
from harness.api.findings import Findings
from harness.api.numbers import count, figures, fixed, percent, words
from harness.api.standings import Estimate, Standing, Standings
from harness_reporters.comparison_tables import better, ends, places_of
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
    numbers_axis,
    plain,
    points,
    row_height,
    rows_axis,
    symbol,
)

LABEL = 20
SUMMARIES = (
    ("mean", "mean"),
    ("middle", "interquartile mean"),
    ("worst_split", "worst split"),
    ("quartile", "lower quartile of runs"),
)


def contests(findings: Findings) -> list[Group]:
    """The forest plot and the standings, as far as there are any."""
    groups = []
    if findings.comparison is not None:
        groups.append(forest(findings.comparison))
    if findings.standings is not None and any(one.mean for one in findings.standings.procedures):
        groups.append(standings(findings.standings))
    return groups


def forest(found: Comparison) -> Group:
    """Per split the mean of every procedure with its interval, and beside it the differences."""
    figures_ = []
    for split in found.splits:
        figures_.append(_means(found, split))
        if split.pairs:
            figures_.append(_differences(found, split))
    return Group("Which procedure is better", figures_, _caption(found))


def _caption(found: Comparison) -> str:
    runs = [each.runs for each in found.contestants]
    number = f"{min(runs)} to {max(runs)}" if len(set(runs)) > 1 else str(runs[0])
    drawn = words([level.name for level in found.levels if level.drawn])
    held = words([level.name for level in found.levels if not level.drawn])
    seeds = sorted({each.pretrain_seeds for each in found.contestants})
    word = "pretraining seed" if seeds == [1] else "pretraining seeds"
    over = "runs" if seeds == [1] else "pretraining seeds"
    text = (
        f"{found.score} of {number} runs per procedure ({words(map(str, seeds))} {word}). "
        f"Left: means over {over}. Right: differences, with p from exchanging "
        f"whole {found.unit or 'seeds'} between procedures. Whiskers are "
        f"{percent(found.confidence)} intervals: {drawn} drawn anew, {found.replicates:,} times"
        f"{f'; {held} held fixed' if held else ''}. A filled mark on the right says that one is "
        "better: the test and the interval agree."
    )
    if not any(split.pairs for split in found.splits):
        text += " No two are tested: the answer above says why."
    return text


def _means(found: Comparison, split: SplitComparison) -> Figure:
    places = places_of(split)
    names = [arm.label for arm in split.arms]
    texts = [
        hover(
            f"{arm.label} on {split.split}",
            f"mean {fixed(arm.mean, places)} ({ends(arm.low, arm.high, places)})",
            f"worst run {fixed(arm.worst, places)} at {arm.worst_seeds}",
        )
        for arm in split.arms
    ]
    estimates = [Estimate(value=arm.mean, low=arm.low, high=arm.high) for arm in split.arms]
    heights = [-float(place) for place in range(len(names))]
    data = [whiskers(estimates, heights, texts, "@accent", "circle")]
    look = layout(numbers_axis(found.score), rows_axis(names), shapes=bands(len(names)))
    kind = "in-domain" if split.kind == "id" else "OOD"
    return Figure(f"{split.split} ({kind}): means", data, look, _height(names))


def _differences(found: Comparison, split: SplitComparison) -> Figure:
    places = places_of(split)
    names = [_less(pair.second, pair.first) for pair in split.pairs]
    heights = [-float(place) for place in range(len(names))]
    data = []
    for told in (True, False):
        here = [
            (pair, height)
            for pair, height in zip(split.pairs, heights, strict=True)
            if (pair.verdict in ("first", "second")) == told
        ]
        texts = [
            hover(
                f"{pair.second} less {pair.first}: {fixed(pair.effect, places)}",
                f"95 % {ends(pair.low, pair.high, places)}, p = {figures(pair.p, 2)}",
                f"{pair.first} wins {percent(pair.beats)} of random runs",
                f"better: {better(pair)}",
            )
            for pair, _ in here
        ]
        estimates = [Estimate(value=p.effect, low=p.low, high=p.high) for p, _ in here]
        mark = "circle" if told else "circle-open"
        if here:
            data.append(whiskers(estimates, [height for _, height in here], texts, "@accent", mark))
    notes = [
        {
            "xref": "paper",
            "x": 1,
            "xanchor": "right",
            "y": height + 0.36,
            "text": plain("no test" if pair.p is None else f"p = {figures(pair.p, 2)}"),
            "showarrow": False,
            "font": {"size": 11, "color": "@muted"},
        }
        for pair, height in zip(split.pairs, heights, strict=True)
    ]
    zero = {
        "type": "line",
        "yref": "paper",
        "x0": 0,
        "x1": 0,
        "y0": 0,
        "y1": 1,
        "line": {"color": "@axis", "width": 1.5, "dash": "dot"},
    }
    axis = numbers_axis(f"difference of {found.score}")
    look = layout(axis, rows_axis(names), shapes=[*bands(len(names)), zero], annotations=notes)
    return Figure(f"{split.split}: differences", data, look, _height(names))


def _less(one: str, other: str) -> str:
    """A label of a difference, which may be broken where it is long."""
    label = f"{one} less {other}"
    return label if len(label) <= LABEL else f"{one} · less {other}"


def _height(names: Sequence[str]) -> int:
    return 64 + row_height(names, 42) * len(names)


def whiskers(
    found: Sequence[Estimate],
    heights: Sequence[float],
    texts: Sequence[str],
    paint: str,
    mark: str,
) -> Trace:
    """Estimates with their intervals as far as they have any; they need not lie evenly around."""
    trace = points([one.value for one in found], heights, texts, color=paint, symbol=mark, size=10)
    trace["error_x"] = {
        "type": "data",
        "symmetric": False,
        "array": known(_side(one.high, one.value) for one in found),
        "arrayminus": known(_side(one.value, one.low) for one in found),
        "color": paint,
        "thickness": 1.6,
        "width": 4,
    }
    return trace


def _side(upper: float | None, lower: float | None) -> float:
    return 0.0 if upper is None or lower is None else max(0.0, upper - lower)


def standings(found: Standings) -> Group:
    """Summaries over splits with intervals, and performance profiles."""
    stand = [one for one in found.procedures if one.mean is not None]
    which = "primary OOD splits" if found.primary else "OOD splits"
    way = "above" if found.higher_is_better else "below"
    missing = len(found.procedures) - len(stand)
    lost = f" {count(missing, 'procedure')} without a standing: see the table." if missing else ""
    single = all(one.pretrain_seeds == 1 for one in stand)
    drawn = "fine-tuning seeds of the one pretraining seed" if single else (
        "whole pretraining seeds, and runs,"
    )  # fmt: skip
    runs = sorted({one.runs for one in stand})
    number = str(runs[0]) if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
    return Group(
        title=f"Over {len(found.splits)} {which} together",
        figures=[_summaries(found, stand), _profiles(found, stand)],
        caption=(
            f"{found.score} over {words(found.splits)}, {number} runs per procedure, as it is (no "
            "split weighs more for being hard). Interquartile mean: of the middle half of all runs "
            "and splits. Lower quartile: a quarter of the runs do as badly or worse. Right: the "
            f"share of runs and splits {way} each score. Whiskers and bands are 95 % intervals: "
            f"{drawn} drawn anew {found.replicates:,} times, examples "
            f"held fixed; bands hold for each score by itself.{lost}"
        ),
        legend=[("procedure", [Key(one.procedure, colour(place), symbol(place))
                               for place, one in enumerate(stand)])],
    )  # fmt: skip


def _summaries(found: Standings, stand: Sequence[Standing]) -> Figure:
    data = []
    for place, one in enumerate(stand):
        shift = 0.0 if len(stand) < 2 else 0.3 - 0.6 * place / (len(stand) - 1)
        estimates: list[Estimate] = [getattr(one, name) for name, _ in SUMMARIES]
        texts = [
            hover(
                f"{one.procedure}: {word} {figures(estimate.value)}",
                "" if estimate.low is None else
                f"95 % {figures(estimate.low)} to {figures(estimate.high)}",
                f"on {one.worst_split_name}" if name == "worst_split" else "",
            )
            for (name, word), estimate in zip(SUMMARIES, estimates, strict=True)
        ]  # fmt: skip
        heights = [shift - row for row in range(len(SUMMARIES))]
        data.append(whiskers(estimates, heights, texts, colour(place), symbol(place)))
    labels = [word for _, word in SUMMARIES]
    look = layout(numbers_axis(found.score), rows_axis(labels), shapes=bands(len(labels)))
    height = 64 + len(labels) * max(34, 16 * len(stand))
    return Figure("Summaries", data, look, height)


def _profiles(found: Standings, stand: Sequence[Standing]) -> Figure:
    data: list[Trace] = []
    x = known(found.thresholds)
    for place, one in enumerate(stand):
        if all(point.low is not None for point in one.profile):
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": [*x, *reversed(x)],
                    "y": [
                        *known(point.high for point in one.profile),
                        *reversed(known(point.low for point in one.profile)),
                    ],
                    "fill": "toself",
                    "fillcolor": colour(place),
                    "opacity": 0.15,
                    "line": {"width": 0},
                    "hoverinfo": "skip",
                }
            )
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": known(point.value for point in one.profile),
                "line": {"color": colour(place), "width": 2},
                "hovertext": [
                    hover(one.procedure, f"{percent(point.value)} beyond {figures(threshold)}")
                    for point, threshold in zip(one.profile, found.thresholds, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
    share = numbers_axis("share of runs and splits") | {"range": [-0.03, 1.03]}
    look = layout(numbers_axis(found.score), share)
    height = 64 + len(SUMMARIES) * max(34, 16 * len(stand))
    return Figure("Performance profile", data, look, max(260, height))
