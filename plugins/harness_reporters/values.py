"""Figures of metrics' values: one point per pair, run or group of runs."""

from collections.abc import Iterable, Sequence
from math import isfinite

from harness.api.findings import Findings, MetricNote, ReadingValue
from harness.api.numbers import count, figures, some_of
from harness_reporters.axes import room_around
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
    short,
    spread_within,
    symbol,
    template,
)
from harness_reporters.protocols import KINDS, facts, measured_on
from harness_reporters.scores import pretrain_seeds, procedures, seed_legend

SHOWN = 8  # values of one split


def values(findings: Findings, of: list[ReadingValue], note: MetricNote | None) -> Group:
    """All values of one metric, those of one split at a time."""
    splits = splits_in_order(findings, {reading.split for reading in of})
    names = {  # what is finite nowhere stands in the table alone
        at: list(dict.fromkeys(r.name for r in of if r.split == at and isfinite(r.value)))
        for at in splits
    }
    draw = _pair_panel if of[0].of == "pair" else _point_panel
    shown = [(at, name) for at in splits for name in some_of(names[at], SHOWN)]
    several = len(splits) > 1 and len(shown) > SHOWN
    if len(splits) > 1 and not several:  # few: the splits of one value stand side by side
        shown.sort(key=lambda where: list(dict.fromkeys(r.name for r in of)).index(where[1]))
    drawn = [
        draw(
            findings,
            [r for r in of if (r.split, r.name) == (at, name)],
            (at or "of no split") if several else "",
        )
        for at, name in shown
    ]
    left_out = max(len(found) - SHOWN for found in names.values())
    caption = _pair_caption(of) if of[0].of == "pair" else _point_caption(of)
    more = f" {left_out} more values are in the table." if left_out > 0 else ""
    chosen = f" Read on {len(splits)} splits, one at a time above." if several else ""
    pairs = of[0].of == "pair"
    return Group(
        title="Every pair of runs" if pairs else f"Every {_what(of)}",
        figures=drawn,
        caption=caption + chosen + more + measured_on(note),
        legend=_legend(findings, of),
        columns="two" if pairs or (len(splits) == 2 and not several) else "three",
        facts=facts(note),
        choose="split",
    )


def _legend(findings: Findings, of: Sequence[ReadingValue]) -> list[tuple[str, list[Key]]]:
    if of[0].of == "pair":
        return [("pairs of runs with", kinds())]
    return [] if _what(of) != "run" else seed_legend(findings)


def splits_in_order(findings: Findings, found: set[str | None]) -> list[str | None]:
    """Splits with the primary in-domain one first, then the primary OOD ones, then the rest."""
    order: list[str | None] = ["train", findings.primary_id, *findings.primary_ood]
    order += [*(spread.split for spread in findings.spreads), None]
    known_ones = [split for split in dict.fromkeys(order) if split in found]
    strange = sorted(str(split) for split in found if split not in known_ones)
    return [*known_ones, *strange]


def title_of(name: str, split: str | None) -> str:
    """What is drawn, and on which split."""
    return f"{name} on {split}" if split else name


def kinds() -> list[Key]:
    """The legend of kinds of pairs."""
    return [Key(kind, f"@k{place}") for place, kind in enumerate(KINDS.values())]


def _pair_caption(of: Sequence[ReadingValue]) -> str:
    pairs = len({(r.procedure, r.runs) for r in of})
    return (
        f"Each point is one pair of runs of one procedure ({count(pairs, 'pair')} in all); "
        "upright lines are means. Same seed: both runs start from one pretraining seed (one "
        "draw of initial weights where nothing is pretrained). Pairs share runs, so points are "
        "no independent observations."
    )


def _what(of: Sequence[ReadingValue]) -> str:
    return {"point": "run", "trajectory": "run"}.get(of[0].of, "group of runs")


def _point_caption(of: Sequence[ReadingValue]) -> str:
    what = _what(of)
    number = len({(r.procedure, r.runs) for r in of})
    several = f"{number} groups of runs" if what != "run" and number != 1 else count(number, what)
    if what != "run":
        sizes = sorted({len(r.runs) for r in of})
        told = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        size = f"{told} " if sizes[-1] > 1 else ""
        return f"Each point is one group of {size}runs measured together ({several} in all)."
    return (
        f"Each point is one run ({several} in all); within a row, runs of one seed stand at one "
        "height. Upright lines are means."
    )


def _pair_panel(findings: Findings, panel: Sequence[ReadingValue], choice: str) -> Figure:
    rows = [
        (name, kind)
        for name in names_of(findings, (r.procedure for r in panel))
        for kind in sorted({r.pair_kind for r in panel}, key=kind_order)
        if any((r.procedure, r.pair_kind) == (name, kind) for r in panel)
    ]
    data: list[Trace] = []
    for place, (name, kind) in enumerate(rows):
        here = [r for r in panel if (r.procedure, r.pair_kind) == (name, kind)]
        paint = list(KINDS).index(kind) if kind in KINDS else 2
        heights = [short(-place + spread_within(i % 5, 5, 0.5)) for i in range(len(here))]
        data.append(_points(here, heights, color=f"@k{paint}", size=8))
        data += _mean(here, -place)
    labels = [f"{name}, {KINDS.get(kind or '', kind or '').split(' ')[0]}" for name, kind in rows]
    return _figure(panel, data, labels, choice, 38)


def _point_panel(findings: Findings, panel: Sequence[ReadingValue], choice: str) -> Figure:
    names = names_of(findings, (r.procedure for r in panel))
    everyone = names_of(findings, names)
    seeds = pretrain_seeds(findings) or [0]
    groups = _what(panel) != "run"
    data: list[Trace] = []
    for place, name in enumerate(names):
        here = [r for r in panel if r.procedure == name]
        orders = [_seed_place(r, seeds) for r in here]
        data.append(
            _points(
                here,
                [
                    short(-place + (0 if groups else spread_within(order, len(seeds), 0.56)))
                    for order in orders
                ],
                color="@accent" if groups else [colour(order) for order in orders],
                symbol=symbol(everyone.index(name)),
            )
        )
        data += [] if groups else _mean(here, -place)
    return _figure(panel, data, names, choice, 36 if groups else 52)


def names_of(findings: Findings, found: Iterable[str]) -> list[str]:
    """Labels of the procedures among them, in the suite's order; strange ones come last."""
    labels = list(dict.fromkeys(found))
    order = procedures(findings)
    return [x for x in order if x in labels] + [x for x in labels if x not in order]


def _figure(
    panel: Sequence[ReadingValue], data: list[Trace], labels: list[str], choice: str, least: int
) -> Figure:
    axis = numbers_axis() | room_around([r.value for r in panel])
    look = layout(axis, rows_axis(labels), shapes=bands(len(labels)))
    title = title_of(panel[0].name, None if choice else panel[0].split)
    height = 56 + row_height(labels, least) * len(labels)
    return Figure(title, data, look, height, choice)


def _points(here: Sequence[ReadingValue], heights: list[float], **marker: object) -> Trace:
    trace = points([short(r.value, 6) for r in here], heights, [], **marker)
    del trace["hovertext"], trace["hoverinfo"]
    first = here[0]
    told = template(first.procedure, places="%{customdata}")
    return trace | {"customdata": [_text(r) for r in here], "hovertemplate": told}


def _text(reading: ReadingValue) -> str:
    runs = reading.runs
    who = f"runs {' and '.join(runs)}" if len(runs) == 2 else f"run {runs[0]}"
    if len(runs) > 2:
        who = f"{len(runs)} runs"
    error = f" (se {figures(reading.standard_error, 2)})" if reading.standard_error else ""
    given_up = "" if reading.converged else ", not converged"
    return hover(f"{who}: {figures(reading.value)}{error}{given_up}")


def kind_order(kind: str | None) -> tuple[int, str]:
    """Pairs of one seed first."""
    return (list(KINDS).index(kind) if kind in KINDS else len(KINDS), kind or "")


def _mean(here: Sequence[ReadingValue], y: float) -> list[Trace]:
    found = [r.value for r in here]
    if not found or None in known(found):
        return []  # a mean over what is left would hide the rest
    mean = sum(found) / len(found)
    return mean_tick(short(mean, 6), y, 0.36, hover(f"mean {figures(mean)}", f"n {len(found)}"))


def _seed_place(reading: ReadingValue, seeds: Sequence[int]) -> int:
    first = reading.runs[0].split("/")[0]
    return seeds.index(int(first)) if first.isdigit() and int(first) in seeds else 0
