"""The table of all runs: one row per planned run, its scores on every split and its readings.

A browser sorts, filters and saves it; here it is made, column by column.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from harness.api.findings import Findings, RunScore
from harness_reporters.figures import short
from harness_reporters.values import splits_in_order

Run = tuple[str, str]
"""A procedure's label and the run's seeds, as "0/1"."""

DIGITS = 7  # as many as single precision has; `seedscape export` writes all
_WORSE = ("damaged", "failed", "missing", "diverged", "unscored")


@dataclass
class Column:
    """One column: `group` says what can be shown or hidden together, "" stands always.

    `heading` is what it is called in a file, where no group stands above it; "" for its name.
    """

    name: str
    group: str = ""
    heading: str = ""
    words: bool = False
    values: list[str | float | None] = field(default_factory=list)


@dataclass(frozen=True)
class RunTable:
    """Columns of equal length; `shown` are the groups that are open at first."""

    columns: list[Column]
    shown: str

    @property
    def rows(self) -> int:
        """How many runs there are."""
        return len(self.columns[0].values)

    @property
    def groups(self) -> list[str]:
        """Groups in the order of their columns."""
        return list(dict.fromkeys(column.group for column in self.columns if column.group))

    def packed(self) -> str:
        """JSON for the browser; numbers that are not finite stand as words."""
        told = [
            {
                "name": column.name,
                "heading": column.heading or column.name,
                "group": column.group,
                "words": column.words,
                "values": [_plain(value) for value in column.values],
            }
            for column in self.columns
        ]
        return json.dumps({"shown": self.shown, "columns": told}, separators=(",", ":"))


def run_table(findings: Findings) -> RunTable | None:
    """Every run that was planned, also those without a result; None where nothing is known."""
    states = _states(findings)
    if not states:
        return None
    columns = [*_who(states), *_scores(findings, states), *_readings(findings, states)]
    columns += _clusters(findings, states)
    return RunTable(columns, findings.primary_score)


def _states(findings: Findings) -> dict[Run, str]:
    """Runs in the suite's order with what became of them: the worst of their problems."""
    states: dict[Run, str] = {}
    for run in findings.runs:
        states[run.procedure, _seeds(run)] = "diverged" if run.diverged else "ok"
    for problem in findings.problems:
        if problem.stage not in ("finetune", "evaluate") or not problem.procedure:
            continue
        run_of = problem.procedure, problem.seeds.split(",")[0]
        before = states.get(run_of, "ok")
        ranked = [state for state in _WORSE if state in (before, problem.state)]
        states[run_of] = ranked[0] if ranked else before
    order = [note.label for note in findings.procedures]
    order += [name for name, _ in states if name not in order]
    return dict(sorted(states.items(), key=lambda item: (order.index(item[0][0]), _by(item[0][1]))))


def _seeds(run: RunScore) -> str:
    seeds = [run.pretrain_seed, run.finetune_seed]
    seeds += [run.order_seed] * (run.order_seed != run.finetune_seed)
    return "/".join(map(str, seeds))


def _by(seeds: str) -> tuple[int, ...]:
    return tuple(int(part) for part in seeds.split("/"))


def _who(states: dict[Run, str]) -> list[Column]:
    seeds = [_by(text) for _, text in states]
    found = [
        Column("procedure", words=True, values=[name for name, _ in states]),
        Column("pretrain seed", values=[one[0] for one in seeds]),
        Column("fine-tune seed", values=[one[1] if len(one) > 1 else None for one in seeds]),
    ]
    if any(len(one) > 2 for one in seeds):
        found.append(Column("order seed", values=[one[min(2, len(one) - 1)] for one in seeds]))
    return [*found, Column("state", words=True, values=list(states.values()))]


def _scores(findings: Findings, states: Mapping[Run, str]) -> Iterator[Column]:
    """The primary score on all splits first, then the others."""
    found: dict[tuple[str, str], dict[Run, float]] = {}
    for run in findings.runs:
        found.setdefault((run.score, run.split), {})[run.procedure, _seeds(run)] = run.value
    scores = list(dict.fromkeys(score for score, _ in found))
    scores.sort(key=lambda score: score != findings.primary_score)
    for score in scores:
        for split in dict.fromkeys(split for _, split in found):
            if (score, split) in found:
                values = _in_order(found[score, split], states)
                yield Column(split, score, f"{score} on {split}", values=values)


def _readings(findings: Findings, states: Mapping[Run, str]) -> Iterator[Column]:
    """What metrics of single runs read; those of pairs and groups have no row here."""
    found: dict[tuple[str, str, str | None], dict[Run, float]] = {}
    for reading in findings.readings:
        if reading.of in ("point", "trajectory") and len(reading.runs) == 1:
            which = reading.metric, reading.name, reading.split
            found.setdefault(which, {})[reading.procedure, reading.runs[0]] = reading.value
    splits = splits_in_order(findings, {split for *_, split in found})
    for metric, name in dict.fromkeys((metric, name) for metric, name, _ in found):
        for split in splits:
            if (metric, name, split) in found:
                told = f"{name} on {split}" if split else name
                values = _in_order(found[metric, name, split], states)
                yield Column(told, metric, f"{metric} {told}", values=values)


def _clusters(findings: Findings, states: Mapping[Run, str]) -> Iterator[Column]:
    for metric, split in dict.fromkeys((one.metric, one.split) for one in findings.clusters):
        found: dict[Run, float] = {
            (one.procedure, run): place
            for one in findings.clusters
            if (one.metric, one.split) == (metric, split)
            for run, place in one.clusters.items()
        }
        told = f"cluster on {split}" if split else "cluster"
        yield Column(told, metric, f"{metric} {told}", values=_in_order(found, states))


def _in_order(found: Mapping[Run, float], states: Iterable[Run]) -> list[str | float | None]:
    return [found.get(run) for run in states]


def _plain(value: str | float | None) -> str | float | None:
    if value is None or isinstance(value, str | int):
        return value
    return short(value, DIGITS) if math.isfinite(value) else str(value)
