"""Matrices of pair metrics over the runs of a procedure, by seed and by cluster."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.api.findings import Findings, MetricNote, ReadingValue
from harness.api.pictures import MeanCurve
from harness_reporters.figures import Figure, Group, Trace, layout, plain, short
from harness_reporters.protocols import facts, measured_on
from harness_reporters.surfaces import colours
from harness_reporters.values import names_of, splits_in_order, title_of

LEAST = 3  # runs that make a matrix
RUNS = 64  # of one matrix
NUMBERS = 24_000  # of all matrices of one metric
TICKS = 16

_Pairs = dict[tuple[str, str], float]
_Where = tuple[str, str | None]  # a value's name and its split


@dataclass(frozen=True)
class Matrix:
    """Values of the pairs of runs of one procedure; what was not measured is not there."""

    procedure: str
    name: str
    split: str | None
    runs: tuple[str, ...]
    pairs: _Pairs

    @property
    def measured(self) -> int:
        """How many different pairs of two runs have a value."""
        return len({frozenset(pair) for pair in self.pairs if pair[0] != pair[1]})

    def rows(self, order: Sequence[str]) -> list[list[float]]:
        """Values by rows, NaN where there is none."""
        return [[self.pairs.get((a, b), math.nan) for b in order] for a in order]


def of_pairs(findings: Findings, readings: Sequence[ReadingValue]) -> list[Matrix]:
    """A pair metric's matrices, where at least half of a procedure's pairs were measured."""
    groups: dict[tuple[str, str, str | None], list[ReadingValue]] = {}
    for reading in readings:
        groups.setdefault((reading.procedure, reading.name, reading.split), []).append(reading)
    found = []
    for (procedure, name, split), here in groups.items():
        pairs = {}
        for reading in here:
            first, second = reading.runs if len(reading.runs) == 2 else reading.runs * 2
            pairs[first, second] = pairs[second, first] = reading.value
        runs = tuple(sorted({run for pair in pairs for run in pair}, key=_seeds))
        found.append(Matrix(procedure, name, split, runs, pairs))
    return [m for m in found if _whole(m)]


def of_curves(curves: Sequence[MeanCurve]) -> list[Matrix]:
    """Matrices that a metric of groups gives as curves: one per run, over the runs."""
    groups: dict[tuple[str, str, str | None], list[MeanCurve]] = {}
    for one in curves:
        if is_row(one):
            groups.setdefault((one.procedure, one.curve, one.split), []).append(one)
    return [
        Matrix(
            procedure,
            name,
            split,
            tuple(sorted((row.quantity for row in rows), key=_seeds)),
            {
                (row.quantity, label): value
                for row in rows
                for label, value in zip(row.labels, row.mean, strict=True)
            },
        )
        for (procedure, name, split), rows in groups.items()
        if len(rows) >= LEAST
    ]


def is_row(one: MeanCurve) -> bool:
    """Whether a curve is a row of a matrix over runs: its quantity is one of its places."""
    return one.quantity in one.labels and one.subjects == 1 and len(one.labels) == len(one.mean)


def _whole(matrix: Matrix) -> bool:
    number = len(matrix.runs)
    return number >= LEAST and matrix.measured >= number * (number - 1) / 4


def _seeds(run: str) -> tuple[tuple[bool, int, str], ...]:
    return tuple((not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in run.split("/"))


def matrices(findings: Findings, found: list[Matrix], note: MetricNote | None) -> Group | None:
    """Every value's matrices, procedures side by side, in two orders of the runs."""
    if not found:
        return None
    wheres = _ranked(findings, found)
    panels: list[Figure] = []
    told: set[str] = set()
    numbers = shown = 0
    for where in wheres:
        here = [m for m in found if (m.name, m.split) == where]
        here.sort(key=lambda m: names_of(findings, (m.procedure for m in found)).index(m.procedure))
        size = sum(2 * min(len(m.runs), RUNS) ** 2 for m in here)
        if shown and numbers + size > NUMBERS:
            break
        numbers, shown = numbers + size, shown + 1
        ends = _range(here)
        for matrix in here:
            runs = _some(matrix.runs)
            order, why = _order(findings, matrix, runs)
            told.add(why)
            for way, by in ((runs, "by seed"), (order, why)):
                choice = title_of(*where) if len(wheres) > 1 else ""
                panels.append(_panel(matrix, way, by, ends, choice))
    return Group(
        title="Runs against runs",
        figures=panels,
        caption=_caption(found, told, shown, len(wheres)) + measured_on(note),
        facts=facts(note),
        choose="value",
    )


def _ranked(findings: Findings, found: Sequence[Matrix]) -> list[_Where]:
    splits = splits_in_order(findings, {m.split for m in found})
    names = list(dict.fromkeys(m.name for m in found))
    wheres = {(m.name, m.split) for m in found}
    return sorted(wheres, key=lambda where: (names.index(where[0]), splits.index(where[1])))


def _some(runs: Sequence[str]) -> list[str]:
    """All runs, or so many of them evenly over the seeds."""
    if len(runs) <= RUNS:
        return list(runs)
    return [runs[round(place * (len(runs) - 1) / (RUNS - 1))] for place in range(RUNS)]


def _order(findings: Findings, matrix: Matrix, runs: list[str]) -> tuple[list[str], str]:
    """The runs by cluster, or alike ones together; and what that is called."""
    for one in findings.clusters:
        if one.procedure == matrix.procedure and set(runs) <= one.clusters.keys():
            if matrix.split is not None and one.split not in (matrix.split, findings.primary_id):
                continue
            by = f"by cluster ({one.metric} on {one.split})" if one.split else "by cluster"
            return sorted(runs, key=lambda run: (one.clusters[run], _seeds(run))), by
    return _alike(matrix.rows(runs), runs), "alike runs together"


def _alike(rows: list[list[float]], runs: list[str]) -> list[str]:
    """Leaves of an average-linkage tree over the rows, neighbours as alike as can be."""
    import numpy as np
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist

    table = np.asarray(rows, dtype=np.float64)
    known = np.isfinite(table)
    if not known.any():
        return runs
    table = np.where(known, table, table[known].mean())
    off = ~np.eye(len(runs), dtype=bool)
    # the diagonal is as far as a pair of likes: the metric may not have measured it
    apart = np.abs(table - np.median(table[off]))
    np.fill_diagonal(table, table[off][np.argmax(apart[off])])
    tree = linkage(pdist(table), "average", optimal_ordering=True)
    return [runs[place] for place in leaves_list(tree)]


def _range(here: Sequence[Matrix]) -> tuple[float, float]:
    """Least and greatest finite value of pairs of two runs, over all procedures."""
    finite = [
        value
        for matrix in here
        for (a, b), value in matrix.pairs.items()
        if a != b and math.isfinite(value)
    ]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    return low, high if high > low else low + max(abs(low), 1.0) * 1e-6


def _panel(
    matrix: Matrix, runs: Sequence[str], by: str, ends: tuple[float, float], choice: str
) -> Figure:
    rows = matrix.rows(runs)
    heat: Trace = {
        "type": "heatmap",
        "z": [[short(v, 3) if math.isfinite(v) else None for v in row] for row in rows],
        "hovertemplate": "%{y} and %{x}: %{z}<extra></extra>",
        "hoverongaps": False,
        "x": [plain(run) for run in runs],
        "y": [plain(run) for run in runs],
        "zmin": ends[0],
        "zmax": ends[1],
        **colours(),
        "xgap": 1 if len(runs) <= 32 else 0,
        "ygap": 1 if len(runs) <= 32 else 0,
    }
    every = math.ceil(len(runs) / TICKS)
    axis: Trace = {
        "type": "category",
        "tickvals": list(range(0, len(runs), every)),
        "ticktext": [plain(run) for run in runs[::every]],
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "automargin": True,
        "constrain": "domain",
        "tickfont": {"size": 10},
    }
    upright = axis | {"scaleanchor": "x", "autorange": "reversed"}
    look = layout(axis | {"tickangle": -90}, upright)
    title = (
        matrix.procedure if choice else f"{matrix.procedure}: {title_of(matrix.name, matrix.split)}"
    )
    return Figure(f"{title}, {by}", [heat], look, 330, choice)


def _caption(found: Sequence[Matrix], told: set[str], shown: int, of: int) -> str:
    numbers = sorted({len(m.runs) for m in found})
    most = numbers[-1]
    each = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {most}"
    fewer = f" {RUNS} of {most} runs are shown, spread over the seeds." if most > RUNS else ""
    left = f" {of - shown} more values are left out." if of > shown else ""
    orders = " and ".join(sorted(told))
    return (
        f"Each field is one pair of runs of one procedure ({each} runs); at the left runs stand in "
        f"the order of their seeds (pretraining/fine-tuning), at the right {orders}. Blocks along "
        "the diagonal are runs that are alike; if they are alike by seed, the left shows them too. "
        f"Procedures share one scale of colours. Blank: not measured, or not finite.{fewer}{left}"
    )
