"""Readings of metrics, summed up per procedure and kind of pair; mean curves along paths."""

from typing import Any

import numpy as np
import pandas as pd

from harness.analyze.frames import Record, grouped, records
from harness.analyze.spread import moments
from harness.api.findings import MeanCurve, PairSummary, PointSummary, ReadingValue

SAME = "same-pretrain-seed"  # stands before other kinds
_VALUE = ["procedure", "metric", "name", "split"]


def pair_summaries(readings: pd.DataFrame, cells: pd.DataFrame) -> tuple[PairSummary, ...]:
    """One per procedure x metric x value x split x kind of pair."""
    pairs = records(readings[readings["of"] == "pair"])
    order = list(dict.fromkeys(row["procedure"] for row in pairs))
    pairs.sort(key=lambda row: (order.index(row["procedure"]), row["pair_kind"] != SAME))
    found = []
    for rows in grouped(pairs, [*_VALUE, "pair_kind"]):
        first = rows[0]
        runs = {run for row in rows for run in row["subject"].split(" ")}
        found.append(
            PairSummary(
                **{name: first[name] for name in _VALUE},
                pair_kind=first["pair_kind"] or "",
                pairs=len(rows),
                planned=_planned(cells, first),
                runs=len(runs),
                **_numbers(rows),
            )
        )
    return tuple(found)


def point_summaries(readings: pd.DataFrame, cells: pd.DataFrame) -> tuple[PointSummary, ...]:
    """One per procedure x metric x value x split, over runs."""
    points = records(readings[readings["of"] == "point"])
    return tuple(
        PointSummary(
            **{name: rows[0][name] for name in _VALUE},
            runs=len(rows),
            planned=_planned(cells, rows[0]),
            **_numbers(rows),
        )
        for rows in grouped(points, _VALUE)
    )


def _planned(cells: pd.DataFrame, row: Record) -> int:
    same = (cells["procedure"] == row["procedure"]) & (cells["metric"] == row["metric"])
    if row["pair_kind"] is not None:
        same &= cells["pair_kind"] == row["pair_kind"]
    return int(same.sum())


def _numbers(rows: list[Record]) -> dict[str, Any]:
    found = moments([row["value"] for row in rows])
    return {
        "mean": found.mean,
        "sd": found.sd,
        "minimum": found.minimum,
        "maximum": found.maximum,
        "not_finite": found.not_finite,
        "not_converged": sum(not row["converged"] for row in rows),
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
