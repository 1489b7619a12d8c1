"""Figures of in-domain against OOD scores: a point per run, and the line through each procedure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from harness.api.findings import Findings, RunScore
from harness.api.numbers import count, figures
from harness.api.predictors import LineFit
from harness_reporters.figures import (
    Figure,
    Group,
    Key,
    Trace,
    colour,
    hover,
    layout,
    numbers_axis,
    points,
    short,
    symbol,
)
from harness_reporters.scores import pretrain_seeds, procedures

SHOWN = 4  # OOD splits that get a scatter plot of their own, primary ones first
STEPS = 24  # stretches of a line that is bent on the axes of accuracies
_SEED = "pretraining seed"


@dataclass(frozen=True)
class _Colouring:
    """What a run's colour stands for: `places` of runs by procedure and seeds."""

    word: str
    keys: list[Key]
    places: dict[tuple[str, str], int]


def scatters(findings: Findings) -> Group | None:
    """In-domain against OOD, one figure per OOD split, the primary ones first."""
    others = dict.fromkeys(s.split for s in findings.spreads if s.split_kind == "ood")
    ranked = list(dict.fromkeys((*findings.primary_ood, *others)))
    drawn = ranked[:SHOWN]
    if not drawn or not findings.runs:
        return None
    ways = list(_colourings(findings))
    names = procedures(findings)
    shapes = [Key(name, "@muted", symbol(place)) for place, name in enumerate(names)]
    return Group(
        title="In-domain against out of distribution",
        figures=[
            _scatter(findings, split, way, way.word if len(ways) > 1 else "")
            for split in drawn
            for way in ways
        ],
        caption=_caption(findings, drawn, len(ranked) - len(drawn)),
        legend=[*((way.word, way.keys) for way in ways), ("procedure", shapes)],
        choose="colour by",
    )


def _colourings(findings: Findings) -> Iterator[_Colouring]:
    """By pretraining seed, and by cluster where runs were clustered."""
    seeds = pretrain_seeds(findings)
    keys = [Key(str(seed), colour(place)) for place, seed in enumerate(seeds)]
    by_seed = {(r.procedure, _run(r)): seeds.index(r.pretrain_seed) for r in findings.runs}
    yield _Colouring(_SEED, keys, by_seed)
    found = sorted(findings.clusters, key=lambda one: one.split != findings.primary_id)
    if found:
        places: dict[tuple[str, str], int] = {}
        for one in reversed([one for one in found if one.metric == found[0].metric]):
            places |= {(one.procedure, run): at for run, at in one.clusters.items()}
        kinds = sorted(set(places.values()))
        keys = [Key(str(kind), colour(place)) for place, kind in enumerate(kinds)]
        ranked = {run: kinds.index(at) for run, at in places.items()}
        yield _Colouring(f"cluster ({found[0].metric})", keys, ranked)


def _run(run: RunScore) -> str:
    seeds = [run.pretrain_seed, run.finetune_seed]
    seeds += [run.order_seed] * (run.order_seed != run.finetune_seed)
    return "/".join(map(str, seeds))


def _scatter(findings: Findings, outside: str, way: _Colouring, choice: str) -> Figure:
    score, inside = findings.primary_score, findings.primary_id
    table: dict[tuple[str, str], dict[str, RunScore]] = {}
    for run in findings.runs:
        if run.score == score:
            table.setdefault((run.procedure, _run(run)), {})[run.split] = run
    data: list[Trace] = []
    for place, name in enumerate(procedures(findings)):
        both = {
            seeds: (found[inside].value, found[outside].value)
            for (procedure, seeds), found in table.items()
            if procedure == name and inside in found and outside in found
        }
        fits = [f for f in findings.lines if (f.procedure, f.target) == (name, outside)]
        data += [_line(fit, [x for x, _ in both.values()]) for fit in fits if fit.slope is not None]
        places = [way.places.get((name, seeds)) for seeds in both]
        told = [
            hover(
                f"{name}, run {seeds}",
                f"{inside} {figures(x, 4)}, {outside} {figures(y, 4)}",
                *([f"cluster {at}"] if way.word != _SEED else []),
            )
            for (seeds, (x, y)), at in zip(both.items(), places, strict=True)
        ]
        paints = ["@muted" if at is None else colour(at) for at in places]
        shape = {"color": paints, "symbol": symbol(place), "size": 10}
        xs, ys = [x for x, _ in both.values()], [y for _, y in both.values()]
        data.append(points(xs, ys, told, **shape))
    axes = numbers_axis(f"{score} on {inside}"), numbers_axis(f"{score} on {outside}")
    title = f"{outside} (primary)" if outside in findings.primary_ood else outside
    return Figure(title, data, layout(*axes), 340, choice)


def _line(fit: LineFit, inside: Sequence[float]) -> Trace:
    """The line over the range of the runs; dotted where there is a reason to doubt it."""
    known = [x for x in inside if math.isfinite(x) and (fit.scale == "linear" or 0 < x < 1)]
    low, high = min(known), max(known)
    xs = [low + (high - low) * step / STEPS for step in range(STEPS + 1)]
    around = f" ({figures(fit.slope_low, 2)} to {figures(fit.slope_high, 2)})"
    told = hover(
        f"{fit.procedure}: slope {figures(fit.slope, 2)}"
        + (around if fit.slope_low is not None else "")
        + f" on the {fit.scale} scale",
        f"n {fit.models}, R² {figures(fit.r2, 2)}",
        *([fit.warning] if fit.warning else []),
    )
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [short(x, 5) for x in xs],
        "y": [short(_height(fit, x), 5) for x in xs],
        "hovertext": told,
        "hoverinfo": "text",
        "line": {"color": "@muted", "width": 1.6, "dash": "dot" if fit.warning else "solid"},
    }


def _height(fit: LineFit, x: float) -> float:
    """Where the line stands over an in-domain score."""
    slope, intercept = fit.slope or 0.0, fit.intercept or 0.0
    if fit.scale == "linear":
        return intercept + slope * x
    if fit.scale == "logit":
        return 1 / (1 + math.exp(-intercept - slope * math.log(x / (1 - x))))
    normal = NormalDist()
    return normal.cdf(intercept + slope * normal.inv_cdf(x))


def _caption(findings: Findings, drawn: Sequence[str], left_out: int) -> str:
    score, inside = findings.primary_score, findings.primary_id
    runs = len({(run.procedure, _run(run)) for run in findings.runs})
    fits = [f for f in findings.lines if f.target in drawn and f.slope is not None]
    told = "No line is fitted."
    if fits:
        doubted = sum(bool(fit.warning) for fit in fits)
        told = (
            f"Lines are least squares over the runs of a procedure on the {fits[0].scale} scale "
            f"(n {min(f.models for f in fits)}), on primary OOD splits; "
            + ("the dotted ones are" if doubted else "none is")
            + " in doubt because in-domain scores differ by no more than noise of testing."
        )
    return (
        f"Each point is one run: {score} on {inside} (in-domain) and on the OOD split "
        f"({count(runs, 'run')}). A cloud that is tall and narrow says that the in-domain score "
        "does not tell the runs' OOD scores. Points of one pretraining seed are no independent "
        f"observations. {told}"
        + (f" {left_out} more OOD splits are in the table." if left_out else "")
    )
