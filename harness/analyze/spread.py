"""Mean, spread and worst seed of each procedure's scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.analyze.collect import run_text
from harness.analyze.frames import Record, grouped, records
from harness.api.cells import Seeds
from harness.api.findings import RunScore, Spread
from harness.statistics.components import sampling_sd


@dataclass(frozen=True)
class ScoreNature:
    """What has to be known of a score: which way is up, and whether it is a proportion."""

    higher_is_better: bool
    proportion: bool


@dataclass(frozen=True)
class Moments:
    """Mean, sd (ddof=1), least and greatest of numbers; `not_finite` of `n` are NaN or infinite.

    Mean and sd are None where any number is not finite, and the sd where n < 2.
    """

    n: int
    not_finite: int
    mean: float | None
    sd: float | None
    minimum: float | None
    maximum: float | None


def moments(values: Sequence[float]) -> Moments:
    """The moments of any numbers; least and greatest are of those that are no NaN.

    >>> moments([1.0, 3.0, 5.0]).sd
    2.0
    >>> moments([1.0, float("inf")])
    Moments(n=2, not_finite=1, mean=None, sd=None, minimum=1.0, maximum=inf)
    """
    numbers = [float(value) for value in values]
    known = [value for value in numbers if not math.isnan(value)]
    infinite = sum(not math.isfinite(value) for value in numbers)
    whole = numbers if infinite == 0 and numbers else None
    return Moments(
        n=len(numbers),
        not_finite=infinite,
        mean=float(np.mean(whole)) if whole else None,
        sd=float(np.std(whole, ddof=1)) if whole and len(whole) > 1 else None,
        minimum=min(known, default=None),
        maximum=max(known, default=None),
    )


def spreads(scores: pd.DataFrame, natures: Mapping[str, ScoreNature]) -> tuple[Spread, ...]:
    """One spread per procedure x split x score, in the order of the plan."""
    return tuple(
        _spread(rows, natures.get(rows[0]["score"], ScoreNature(True, False)))
        for rows in grouped(records(scores), ["procedure", "split", "score"])
    )


def _spread(rows: Sequence[Record], nature: ScoreNature) -> Spread:
    first = rows[0]
    done = [row for row in rows if row["state"] == "ok"]
    found = moments([row["value"] for row in done])
    ranked = sorted(done, key=lambda row: _goodness(row["value"], nature))
    examples = min((row["n"] for row in done), default=0)
    noise = None
    if nature.proportion and found.mean is not None:
        noise = sampling_sd(found.mean, examples)
    return Spread(
        procedure=first["procedure"],
        split=first["split"],
        split_kind=first["split_kind"],
        shift=first["shift"],
        parent=first["parent"],
        score=first["score"],
        higher_is_better=nature.higher_is_better,
        planned=len(rows),
        runs=len(done),
        examples=examples,
        mean=found.mean,
        sd=found.sd,
        worst=ranked[0]["value"] if ranked else None,
        worst_seeds=_seeds(ranked[0]) if ranked else None,
        best=ranked[-1]["value"] if ranked else None,
        not_finite=found.not_finite,
        unscorable=sum(row["unscorable"] for row in done),
        diverged=sum(row["diverged"] for row in done),
        sampling_sd=noise,
    )


def _seeds(row: Record) -> str:
    return run_text(Seeds(row["pretrain_seed"], row["finetune_seed"], row["order_seed"]))


def _goodness(value: float, nature: ScoreNature) -> float:
    if math.isnan(value):
        return -math.inf
    return value if nature.higher_is_better else -value


def run_scores(scores: pd.DataFrame) -> tuple[RunScore, ...]:
    """One record per run x split x score that has a value."""
    return tuple(
        RunScore(
            procedure=row["procedure"],
            pretrain_seed=row["pretrain_seed"],
            finetune_seed=row["finetune_seed"],
            order_seed=row["order_seed"],
            split=row["split"],
            split_kind=row["split_kind"],
            score=row["score"],
            value=row["value"],
            examples=row["n"],
            diverged=row["diverged"],
            unscorable=row["unscorable"],
        )
        for row in records(scores[scores["state"] == "ok"])
    )
