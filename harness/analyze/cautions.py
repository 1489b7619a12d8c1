"""What a reader must know before believing the answers: the warnings of a report."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from harness.analyze.results import Results
from harness.api.cells import Plan
from harness.api.findings import Problem, Spread
from harness.api.numbers import count, figures, some, words
from harness.statistics.comparison import FEW_SEEDS


def warnings_of(results: Results, plan: Plan, found: Sequence[Spread]) -> tuple[str, ...]:
    """Warnings in the order of their weight: trial run, holes, few seeds, mixtures, noise."""
    return (
        *_smoke(plan),
        *_holes(results.problems),
        *_few_seeds(results),
        *_not_finite(results, found),
        *_cut(results),
        *_mixtures(results),
        *_test_noise(found, plan),
    )


def _smoke(plan: Plan) -> Iterator[str]:
    if plan.smoke:
        yield (
            "Trial run on few examples, steps or seeds: it shows that everything works; "
            "its numbers mean nothing."
        )


def _holes(problems: Sequence[Problem]) -> Iterator[str]:
    held = {state: [p for p in problems if p.state == state] for state in _STATES}
    parts = [f"{len(cells):,} {state}" for state, cells in held.items() if cells]
    if parts:
        yield (
            f"Incomplete: of the planned cells {words(parts)}. Counts show n of planned; "
            "what is missing may not be missing at random."
        )
    stages = [problem.stage for problem in problems if problem.state == "diverged"]
    branches = stages.count("branch")
    if len(stages) > branches:
        trainings = count(len(stages) - branches, "training")
        yield f"{trainings} diverged; the scores are in the numbers as they are."
    if branches:
        branched = count(branches, "branch", "branches")
        yield f"{branched} of runs diverged; readings that compare them hold NaN."
    unscored = sum(problem.state == "unscored" for problem in problems)
    if unscored:
        yield f"{count(unscored, 'score')} could not be computed and count as missing."


_STATES = ("failed", "damaged", "missing")


def _few_seeds(results: Results) -> Iterator[str]:
    done = results.scores[results.scores["state"] == "ok"]
    if done.empty:
        return
    fewest = done.groupby("procedure")["pretrain_seed"].nunique()
    seeds = int(done.groupby("procedure")["finetune_seed"].nunique().min())
    if int(fewest.max()) == 1 and seeds > 1:
        few = f"; with fewer than {FEW_SEEDS} intervals are rough"
        yield (
            f"One pretraining seed: every interval and test is about other fine-tuning seeds "
            f"({seeds} here{few if seeds < FEW_SEEDS else ''}) of the same weights, and says "
            "nothing of other pretrainings."
        )
        return
    if int(fewest.min()) < FEW_SEEDS:
        yield (
            f"Only {count(int(fewest.min()), 'pretraining seed')}: below {FEW_SEEDS}, spreads and "
            "variance shares are rough, and runs that share a pretraining seed are no "
            "independent observations."
        )


def _cut(results: Results) -> Iterator[str]:
    """Texts longer than a model reads, of any procedure: the largest share of a split's texts."""
    trained = results.runs.assign(split=results.runs["stage"].map(_TRAINED_ON))
    columns = ["split", "truncated", "n"]
    both = pd.concat([trained[columns], results.scores[columns]])
    parts = [
        f"{_of(int(rows['truncated'].max()), rows['n'].max())} in {split}"
        for split, rows in both[both["truncated"].fillna(0) > 0].groupby("split", sort=False)
    ]
    if parts:
        yield f"Texts were cut off where the model reads no further: {some(parts, 5)}."


_TRAINED_ON = {"pretrain": "the pretraining texts", "finetune": "train"}


def _of(number: int, total: Any) -> str:  # a cell of a frame
    return f"{number:,}" if pd.isna(total) else f"{number:,} of {int(total):,}"


def _not_finite(results: Results, found: Sequence[Spread]) -> Iterator[str]:
    held = [s for s in found if s.not_finite]
    if held:
        where = some([f"{s.score} on {s.split} ({s.procedure})" for s in held])
        yield f"NaN or infinite scores in {where}: no mean is given there."
    readings = results.readings[results.readings["state"] == "ok"]
    values = readings["value"]
    infinite = readings[~values.abs().lt(float("inf"))]["metric"]
    if len(infinite):
        told = f"{len(infinite):,} of {count(len(values), 'metric value')} are NaN or infinite"
        yield f"{told} ({_most(infinite)})."
    lost = readings[~readings["converged"]].drop_duplicates("key")["metric"]
    if len(lost):
        told = count(len(lost), "metric reading")
        yield f"{told} did not converge ({_most(lost)}); shown and counted."
    unscorable = int(results.scores.drop_duplicates("key")["unscorable"].sum())
    if unscorable:
        yield f"{count(unscorable, 'prediction')} could not be scored and counted as the worst."


def _most(metrics: Iterable[str]) -> str:
    """The metrics that stand there most often."""
    return some([metric for metric, _ in Counter(metrics).most_common()], 5)


def _mixtures(results: Results) -> Iterator[str]:
    done = results.cells[results.cells["state"].isin(("ok", "diverged"))]
    for column, what in (("precision", "precisions"), ("device", "devices")):
        kinds = sorted({str(kind) for kind in done[column].dropna()})
        if len(kinds) > 1:
            yield f"Results of different {what} are mixed: {words(kinds)}."
    for name, versions in {**results.plugins, **results.packages}.items():
        if ", " in versions:
            yield f"Results of different versions of {name} are mixed: {versions}."


def _test_noise(found: Sequence[Spread], plan: Plan) -> Iterator[str]:
    below = [
        f"{s.procedure} (sd {figures(s.sd, 2)}, noise {figures(s.sampling_sd, 2)}, n {s.examples})"
        for s in found
        if (s.split, s.score) == (plan.primary.id, plan.primary.score)
        and s.sd is not None
        and s.sampling_sd is not None
        and s.sd < s.sampling_sd
    ]
    if below:
        yield (
            f"In-domain ({plan.primary.id}) the spread of {plan.primary.score} over runs is below "
            f"the sampling noise of one run's test: {some(below)}. Do not read differences "
            "between single runs there as differences between seeds."
        )
