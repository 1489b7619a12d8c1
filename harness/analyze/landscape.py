"""Readings of metrics, summed up per procedure and kind of pair."""

from typing import Any

import numpy as np
import pandas as pd

from harness.analyze.frames import Record, grouped, records
from harness.analyze.spread import moments
from harness.api.findings import PairSummary, PointSummary, ReadingValue
from harness.api.pictures import Clusters

SAME = "same-pretrain-seed"  # stands before other kinds
_VALUE = ["procedure", "metric", "name", "split"]
_CLUSTER = r"cluster\[.+\]$"
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
    """One per procedure x metric x value x split, over runs; or over groups of runs."""
    found = []
    of = {row["metric"]: row["of"] for row in records(readings[["metric", "of"]])}
    for rows, planned in _groups(readings[readings["of"] != "pair"], cells):
        measured = [row for row in rows if row["key"] is not None]
        found.append(
            PointSummary(
                **{name: rows[0][name] for name in _VALUE},
                of=of[rows[0]["metric"]],
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


def clusters_of(readings: pd.DataFrame) -> tuple[Clusters, ...]:
    """Clusters of runs, from values named "cluster[RUN]" of metrics of groups."""
    named = readings[(readings["of"] == "group") & readings["name"].str.match(_CLUSTER, na=False)]
    found = []
    for rows in grouped(records(named), ["procedure", "metric", "split", "key"]):
        numbers = {_run(row["name"]): row["value"] for row in rows}
        found.append(
            Clusters(
                procedure=rows[0]["procedure"],
                metric=rows[0]["metric"],
                split=rows[0]["split"],
                clusters={run: int(x) for run, x in numbers.items() if np.isfinite(x)},
            )
        )
    return tuple(found)


def _run(name: str) -> str:
    """The run in "cluster[RUN]", as a report writes it: an order seed only where it is another."""
    parts = name[name.index("[") + 1 : -1].split("/")
    return "/".join(parts[:2] if len(parts) == 3 and parts[1] == parts[2] else parts)
