"""Readings of metrics, summed up per procedure and kind of pair; mean curves along paths."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.analyze.frames import records
from harness.analyze.spread import moments
from harness.api.findings import MeanCurve, PairSummary, PointSummary, ReadingValue

_VALUE = ["procedure", "metric", "name", "split"]


def pair_summaries(readings: pd.DataFrame, cells: pd.DataFrame) -> tuple[PairSummary, ...]:
    """One per procedure x metric x value x split x kind of pair."""
    pairs = readings[readings["of"] == "pair"]
    groups = pairs.groupby([*_VALUE, "pair_kind"], sort=False, dropna=False)
    found = []
    for _, group in groups:
        rows = records(group)
        first = rows[0]
        runs = {run for row in rows for run in row["subject"].split(" ")}
        planned = _planned(cells, first)
        found.append(
            PairSummary(
                **{name: first[name] for name in _VALUE},
                pair_kind=first["pair_kind"] or "",
                pairs=len(rows),
                planned=planned,
                runs=len(runs),
                **_numbers(rows),
            )
        )
    return tuple(found)


def point_summaries(readings: pd.DataFrame, cells: pd.DataFrame) -> tuple[PointSummary, ...]:
    """One per procedure x metric x value x split, over runs."""
    points = readings[readings["of"] == "point"]
    found = []
    for _, group in points.groupby(_VALUE, sort=False, dropna=False):
        rows = records(group)
        found.append(
            PointSummary(
                **{name: rows[0][name] for name in _VALUE},
                runs=len(rows),
                planned=_planned(cells, rows[0]),
                **_numbers(rows),
            )
        )
    return tuple(found)


def _planned(cells: pd.DataFrame, row: Mapping[str, Any]) -> int:
    same = (cells["procedure"] == row["procedure"]) & (cells["metric"] == row["metric"])
    if row["pair_kind"] is not None:
        same &= cells["pair_kind"] == row["pair_kind"]
    return int(same.sum())


def _numbers(rows: list[dict[str, Any]]) -> dict[str, Any]:
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
    for _, group in curves.groupby(by, sort=False, dropna=False):
        grids: dict[tuple[float, ...], list[list[float]]] = {}
        for _, one in group.groupby("key", sort=False):
            grids.setdefault(tuple(one["x"]), []).append(list(one["y"]))
        first = records(group.head(1))[0]
        for x, heights in grids.items():
            table = np.asarray(heights, dtype=np.float64)
            found.append(
                MeanCurve(
                    **{name: first[name] for name in by},
                    subjects=len(heights),
                    x=x,
                    mean=tuple(table.mean(axis=0)),
                    minimum=tuple(table.min(axis=0)),
                    maximum=tuple(table.max(axis=0)),
                )
            )
    return tuple(found)
