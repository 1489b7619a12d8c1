"""The figure of scores: every run on every split."""

from collections.abc import Sequence

from harness.api.findings import Findings, RunScore, Spread
from harness.api.numbers import count, figures
from harness_reporters.figures import (
    Figure,
    Group,
    Key,
    Trace,
    bands,
    colour,
    hover,
    layout,
    mean_tick,
    numbers_axis,
    points,
    rows_axis,
    spread_within,
    symbol,
)

LANE = 0.74  # of a row's height belongs to its points


def seed_legend(findings: Findings) -> list[tuple[str, list[Key]]]:
    """Colours of pretraining seeds, symbols of procedures."""
    seeds = pretrain_seeds(findings)
    names = procedures(findings)
    colours = [Key(str(seed), colour(place)) for place, seed in enumerate(seeds)]
    shapes = [Key(name, "@muted", symbol(place)) for place, name in enumerate(names)]
    return [("pretraining seed", colours), ("procedure", shapes)]


def pretrain_seeds(findings: Findings) -> list[int]:
    """All pretraining seeds in order."""
    return sorted({run.pretrain_seed for run in findings.runs})


def procedures(findings: Findings) -> list[str]:
    """Labels of the procedures in the suite's order."""
    return list(dict.fromkeys(spread.procedure for spread in findings.spreads))


def strips(findings: Findings) -> Group:
    """Every run on every split, one figure per score."""
    scores = list(dict.fromkeys(spread.score for spread in findings.spreads))
    scores.sort(key=lambda score: score != findings.primary_score)
    return Group(
        title="All runs on all splits",
        figures=[_strip(findings, score) for score in scores],
        caption=(
            f"Each point is one run ({count(_drawn_runs(findings), 'run')} with a score); within a "
            "row, runs of one pretraining seed stand at one height (it draws the initial weights "
            "where nothing "
            "is pretrained). Upright lines are means over the runs of a procedure. Measured once "
            "per run on all examples of the split, with the final weights."
        ),
        legend=seed_legend(findings),
        columns="one",
        choose="score",
    )


def _drawn_runs(findings: Findings) -> int:
    seeds = ((r.procedure, r.pretrain_seed, r.finetune_seed, r.order_seed) for r in findings.runs)
    return len(set(seeds))


def _strip(findings: Findings, score: str) -> Figure:
    spreads = [s for s in findings.spreads if s.score == score]
    splits = list(dict.fromkeys(s.split for s in spreads))
    labels = [s + (" (ID)" if _kind(spreads, s) == "id" else "") for s in splits]
    names, seeds = procedures(findings), pretrain_seeds(findings)
    lane = LANE / len(names)
    data: list[Trace] = []

    def height(split: str, name: str) -> float:
        return -splits.index(split) + spread_within(names.index(name), len(names), LANE - lane)

    for place, name in enumerate(names):
        for order, seed in enumerate(seeds):
            runs = [r for r in findings.runs
                    if (r.procedure, r.pretrain_seed, r.score) == (name, seed, score)]  # fmt: skip
            shift = spread_within(order, len(seeds), lane * 0.72)
            data.append(
                points(
                    [run.value for run in runs],
                    [height(run.split, name) + shift for run in runs],
                    [_run_text(run) for run in runs],
                    color=colour(order),
                    symbol=symbol(place),
                )
            )
    for s in spreads:
        if s.mean is not None:
            text = hover(f"{s.procedure} on {s.split}", f"mean {figures(s.mean)}",
                         f"sd {figures(s.sd, 2)}", f"n {s.runs} of {s.planned}")  # fmt: skip
            data += mean_tick(s.mean, height(s.split, s.procedure), lane * 0.46, text)
    axis = numbers_axis(score)
    return Figure(
        title=score,
        data=data,
        layout=layout(axis, rows_axis(labels), shapes=bands(len(splits))),
        height=70 + len(splits) * max(34, 12 + 22 * len(names)),
        choice=score,
    )


def _kind(spreads: Sequence[Spread], split: str) -> str:
    return next(s.split_kind for s in spreads if s.split == split)


def _run_text(run: RunScore) -> str:
    return hover(
        f"{run.procedure} on {run.split}",
        f"{run.score} {figures(run.value, 4)} (n {run.examples:,})",
        f"pretraining seed {run.pretrain_seed}, fine-tuning seed {run.finetune_seed}",
        *(["this training diverged"] if run.diverged else []),
    )
