"""Readings of metrics, summed up per procedure and kind of pair; mean curves along paths."""

from typing import Any

import numpy as np
import pandas as pd

from harness.analyze.frames import Record, grouped, records
from harness.analyze.spread import moments
from harness.api.findings import MeanCurve, PairSummary, PointSummary, ReadingValue

SAME = "same-pretrain-seed"  # stands before other kinds
_VALUE = ["procedure", "metric", "name", "split"]
_Kind = tuple[str, str, str | None]


def pair_summaries(readings: pd.DataFrame, cells: pd.DataFrame) -> tuple[PairSummary, ...]:
    """One per procedure x metric x value x split x kind of pair, measured or only planned."""
    found = []
    for rows, planned in _groups(readings[readings["of"] == "pair"], cells):
        measured = [row for row in rows if row["key"] is not None]
        runs = {run for row in measured for run in row["subject"].split(" ")}
        found.append(
            PairSummary(
                **{name: rows[0][name] for name in _VALUE},
                pair_kind=rows[0]["pair_kind"] or "",
                pairs=len(measured),
                planned=planned,
                runs=len(runs),
                **_numbers(measured),
            )
        )
    return tuple(found)


def point_summaries(readings: pd.DataFrame, cells: pd.DataFrame) -> tuple[PointSummary, ...]:
    """One per procedure x metric x value x split, over runs."""
    found = []
    for rows, planned in _groups(readings[readings["of"] == "point"], cells):
        measured = [row for row in rows if row["key"] is not None]
        found.append(
            PointSummary(
                **{name: rows[0][name] for name in _VALUE},
                runs=len(measured),
                planned=planned,
                **_numbers(measured),
            )
        )
    return tuple(found)


def _groups(readings: pd.DataFrame, cells: pd.DataFrame) -> list[tuple[list[Record], int]]:
    """Rows of one value and kind, with the number that was planned, in the order of the plan.

    A planned kind of which nothing was measured has one row per value that the metric has
    elsewhere, whose `key` is None: what is missing shows, and is not left out.
    """
    planned: dict[_Kind, int] = {}
    for cell in records(cells[cells["metric"].notna()]):
        kind = _kind(cell)
        planned[kind] = planned.get(kind, 0) + 1
    rows = records(readings)
    measured = {_kind(row) for row in rows}
    values = dict.fromkeys((row["metric"], row["name"], row["split"]) for row in rows)
    for procedure, metric, pair_kind in (kind for kind in planned if kind not in measured):
        hole = {"procedure": procedure, "metric": metric, "pair_kind": pair_kind, "key": None}
        rows += [hole | {"name": name, "split": at} for of, name, at in values if of == metric]
    order = list(dict.fromkeys(procedure for procedure, *_ in planned))
    rows.sort(key=lambda row: (order.index(row["procedure"]), row["pair_kind"] != SAME))
    return [(group, planned[_kind(group[0])]) for group in grouped(rows, [*_VALUE, "pair_kind"])]


def _kind(row: Record) -> _Kind:
    return row["procedure"], row["metric"], row["pair_kind"]


def _numbers(rows: list[Record]) -> dict[str, Any]:
    found = moments([row["value"] for row in rows])
    return {
        "mean": found.mean,
        "sd": found.sd,
        "minimum": found.minimum,
        "maximum": found.maximum,
        "not_finite": found.not_finite,
        "not_converged": sum(not row["converged"] for row in rows),
        "diverged": sum(row["diverged"] for row in rows),
    }


def reading_values(readings: pd.DataFrame) -> tuple[ReadingValue, ...]:
    """Every value of every reading, for figures."""
    return tuple(
        ReadingValue(
            procedure=row["procedure"],
            metric=row["metric"],
            of=row["of"],
            name=row["name"],
            split=row["split"],
            pair_kind=row["pair_kind"],
            runs=tuple(row["subject"].split(" ")),
            value=row["value"],
            standard_error=None if np.isnan(row["standard_error"]) else row["standard_error"],
            converged=row["converged"],
        )
        for row in records(readings)
    )


def mean_curves(curves: pd.DataFrame) -> tuple[MeanCurve, ...]:
    """Mean, least and greatest height over the subjects of one kind.

    Subjects whose curve has other `x` than the first one's are left to curves of their own; a NaN
    at a point makes the mean NaN there, and is not skipped.
    """
    by = ["procedure", "metric", "curve", "quantity", "split", "pair_kind"]
    found = []
    for rows in grouped(records(curves), by):
        grids: dict[tuple[float, ...], list[list[float]]] = {}
        for one in grouped(rows, ["key"]):
            grids.setdefault(tuple(p["x"] for p in one), []).append([p["y"] for p in one])
        for x, heights in grids.items():
            table = np.asarray(heights, dtype=np.float64)
            found.append(
                MeanCurve(
                    **{name: rows[0][name] for name in by},
                    subjects=len(heights),
                    x=x,
                    mean=tuple(table.mean(axis=0)),
                    minimum=tuple(table.min(axis=0)),
                    maximum=tuple(table.max(axis=0)),
                )
            )
    return tuple(found)
