"""How the procedures of a suite stand over several OOD splits at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.analyze.overview import MANY
from harness.analyze.results import Results
from harness.analyze.seeded_runs import Scored, scored
from harness.analyze.spread import ScoreNature
from harness.api.cells import Plan
from harness.api.standings import Estimate, Improvement, Standing, Standings
from harness.statistics import standing
from harness.statistics.chance import named
from harness.statistics.intervals import percentile
from harness.statistics.resampling import Grid, Levels, drawn_weights
from harness.statistics.superiority import lower_quantiles

REPLICATES = 2_000
THRESHOLDS = 41
Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Side:
    """A procedure's scores [runs, splits], larger is better, and its runs' names and seeds."""

    table: Scored
    runs: tuple[str, ...]
    scores: Array
    grid: Grid
    why: str = ""

    @property
    def seeds(self) -> int:
        return len(self.grid.seeds)

    @property
    def units(self) -> int:
        """How many seeds of the kind that is drawn: with one pretraining seed, the others."""
        return self.seeds if self.seeds > 1 else len(set(self.grid.finetune))


def standings(results: Results, plan: Plan, design: str, nature: ScoreNature) -> Standings | None:
    """Over the primary OOD splits, or over all where fewer than two are primary; None without two.

    Every procedure's runs with a value on each of them; a value that is not finite takes all away.
    Pretraining and fine-tuning seeds are drawn anew as the design has them, the examples are not.
    """
    others = tuple(split.name for split in plan.splits if split.kind == "ood")
    primary = len(plan.primary.ood) > 1
    splits = plan.primary.ood if primary else others
    if len(splits) < 2:  # one split: its own mean, interval and comparison say it already
        return None
    sign = 1.0 if nature.higher_is_better else -1.0
    found = [_side(table, plan.primary.score, splits, sign) for table in scored(results.scores)]
    sides = [side for side in found if not side.why]
    weights = _weights(sides, design)
    thresholds = _thresholds(sides)
    known = {side.table.procedure: w for side, w in zip(sides, weights, strict=True)}
    return Standings(
        score=plan.primary.score,
        higher_is_better=nature.higher_is_better,
        splits=splits,
        primary=primary,
        thresholds=tuple(float(sign * t) for t in thresholds),
        procedures=tuple(
            _standing(side, known.get(side.table.procedure), splits, sign, thresholds)
            for side in found
        ),
        improvements=_improvements(sides, known) if len(found) <= MANY else (),
        replicates=REPLICATES,
        confidence=0.95,
    )


def _side(table: Scored, score: str, splits: Sequence[str], sign: float) -> _Side:
    columns = [table.values.get((score, split), {}) for split in splits]
    runs = tuple(run for run in table.seeds if all(run in column for column in columns))
    scores = sign * np.array([[column[run] for column in columns] for run in runs])
    why = ""
    if not runs:
        return _Side(table, (), scores, Grid((0,), (0,)), "no run has a value on every split")
    if not np.isfinite(scores).all():
        why = f"{int((~np.isfinite(scores)).sum())} values are NaN or infinite"
    pretrain, finetune, order = zip(*(table.seeds[run] for run in runs), strict=True)
    return _Side(table, runs, scores, Grid(pretrain, finetune, order if table.ordered else ()), why)


def _weights(sides: Sequence[_Side], design: str) -> list[Array]:
    """Weights [replicates, runs] of every procedure, the same where the seeds are the same.

    Where runs are missing in a crossed design, each seed's runs are drawn by themselves.
    """
    drawn: dict[Grid, Array] = {}
    for side in sides:
        if side.grid in drawn:
            continue
        crossed = (design == "crossed" or side.seeds == 1) and side.grid.balanced
        levels = Levels(examples=False, design="crossed" if crossed else "nested")
        generator = named("standings", str(side.grid))
        drawn[side.grid] = drawn_weights([side.grid], REPLICATES, generator, levels, paired=False)[
            0
        ]
    return [drawn[side.grid] for side in sides]


def _thresholds(sides: Sequence[_Side]) -> Array:
    if not sides:
        return np.empty(0)
    every = np.concatenate([side.scores.ravel() for side in sides])
    low, high = float(every.min()), float(every.max())
    room = 0.02 * (high - low) or 0.01
    return np.linspace(low - room, high + room, THRESHOLDS)


def _standing(
    side: _Side, drawn: Array | None, splits: Sequence[str], sign: float, thresholds: Array
) -> Standing:
    table = side.table
    shown = Standing(
        procedure=table.procedure,
        planned=table.planned,
        runs=len(side.runs),
        pretrain_seeds=side.seeds if side.runs else 0,
        note=side.why,
    )
    if drawn is None:
        return shown
    even = side.grid.average()[None]
    lost = table.planned - len(side.runs)

    def told(value: Array, replicates: Array) -> Estimate:
        return _estimate(sign * value[0], sign * replicates, side.units)

    by_run = side.scores.mean(axis=1)
    worst = int(by_run.argmin())
    profile = standing.profiles(side.scores, even, thresholds)[0]
    profiles = standing.profiles(side.scores, drawn, thresholds)
    more: Mapping[str, object] = {
        "mean": told(*(standing.means(side.scores, w) for w in (even, drawn))),
        "middle": told(*(standing.middles(side.scores, w) for w in (even, drawn))),
        "worst_split": told(*(standing.worst_splits(side.scores, w) for w in (even, drawn))),
        "worst_split_name": splits[int((even @ side.scores)[0].argmin())],
        "quartile": told(*(lower_quantiles(by_run, w) for w in (even, drawn))),
        "worst_run": float(sign * by_run[worst]),
        "worst_seeds": side.runs[worst],
        "profile": tuple(
            _estimate(value, replicates, side.units)
            for value, replicates in zip(profile, profiles.T, strict=True)
        ),
        "note": f"{lost} of {table.planned} runs lack a value on some split" if lost else "",
    }
    return shown.model_copy(update=more)


def _estimate(value: float, replicates: Array, units: int) -> Estimate:
    """With an interval, where there is more than one seed to be drawn."""
    if units < 2:
        return Estimate(value=float(value))
    ends = percentile(replicates, units=units)
    return Estimate(value=float(value), low=ends.low, high=ends.high)


def _improvements(sides: Sequence[_Side], drawn: Mapping[str, Array]) -> tuple[Improvement, ...]:
    found = []
    for one, other in combinations(sides, 2):
        even = one.grid.average()[None], other.grid.average()[None]
        both = drawn[one.table.procedure], drawn[other.table.procedure]
        value = float(standing.improvements(one.scores, other.scores, even)[0])
        units = min(one.units, other.units)
        if value in (0.0, 1.0):  # every replicate is the same then, which tells nothing
            units = 1
        chance = _estimate(value, standing.improvements(one.scores, other.scores, both), units)
        found.append(
            Improvement(first=one.table.procedure, second=other.table.procedure, chance=chance)
        )
    return tuple(found)
