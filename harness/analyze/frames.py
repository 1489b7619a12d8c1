"""Tidy frames of what was collected: one function per frame, one row per thing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from harness.analyze.collect import Collected
from harness.api.cells import Cell, EvaluateWork, MeasureWork, Plan, Procedure, Stage, TrainWork
from harness.api.findings import Findings
from harness.api.results import Scored, Trained

Row = dict[str, object]
Record = dict[str, Any]  # a row read back: a frame does not know its columns' types

_RUN = ["suite", "procedure", "model", "init", "method"]
_SEEDS = ["pretrain_seed", "finetune_seed", "order_seed"]
SCORES = [
    *_RUN, *_SEEDS, "split", "split_kind", "shift", "parent", "score", "value", "n", "unscorable",
    "truncated", "state", "diverged", "smoke", "key",
]  # fmt: skip
RUNS = [
    *_RUN, *_SEEDS, "stage", "state", "steps", "examples_seen", "last_loss", "diverged_at", "pack",
    "n", "truncated",
    "wall_seconds", "peak_bytes", "device", "precision", "smoke", "key",
]  # fmt: skip
CELLS = [
    "stage", "procedure", "metric", "pair_kind", "split", "state", "device", "processor",
    "platform", "python", "precision", "wall_seconds", "peak_bytes", "started", "smoke", "key",
]  # fmt: skip
_WHOLE = {
    "pretrain_seed", "finetune_seed", "order_seed", "n", "unscorable", "truncated",
    "pretrain_seed_a", "finetune_seed_a", "pretrain_seed_b", "finetune_seed_b", "steps",
    "examples_seen", "diverged_at", "pack", "peak_bytes", "step",
}  # fmt: skip
_REAL = {
    "value", "standard_error", "forward", "backward", "seconds", "x", "y", "z", "last_loss",
    "wall_seconds", "loss",
}  # fmt: skip


def frame(rows: Iterator[Row], columns: list[str]) -> pd.DataFrame:
    """A frame with these columns in this order, of fixed types even where it is empty."""
    listed = list(rows)
    series: dict[str, pd.Series] = {}
    for column in columns:
        values = [row.get(column) for row in listed]
        if column in _WHOLE:
            series[column] = pd.Series(values, dtype="Int64")
        elif column in _REAL:
            series[column] = pd.Series(values, dtype="float64")
        elif column in ("diverged", "smoke", "converged", "detail"):
            series[column] = pd.Series(values, dtype="bool")
        else:
            series[column] = pd.Series(values, dtype="object")
    return pd.DataFrame(series)


def records(rows: pd.DataFrame) -> list[Record]:
    """The rows of a frame as plain values: None for what is missing, NaN for NaN in numbers."""
    columns: list[list[Any]] = []
    for name in rows.columns:
        values = rows[name].tolist()
        if name not in _REAL:
            holes = rows[name].isna().tolist()
            values = [None if hole else x for x, hole in zip(values, holes, strict=True)]
        columns.append(values)
    names = [str(name) for name in rows.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def grouped(rows: Iterable[Record], by: Sequence[str]) -> list[list[Record]]:
    """Rows that agree in these columns together, in the order of their first appearance."""
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    return list(groups.values())


def score_rows(plan: Plan, collected: Collected) -> Iterator[Row]:
    """One row per planned run x split x score."""
    runs = _Runs(plan)
    for cell in plan.cells:
        work = cell.work
        if not isinstance(work, EvaluateWork):
            continue
        record = collected.records.get(cell.key)
        result = record.result if record is not None and isinstance(record.result, Scored) else None
        shared: Row = {
            **runs.of(cell),
            "split": work.split.name,
            "split_kind": work.split.kind,
            "shift": work.split.shift,
            "parent": work.split.parent,
            "n": result.examples if result else None,
            "unscorable": result.unscorable if result else None,
            "truncated": result.truncated if result else None,
            "diverged": cell.key in collected.diverged,
            "smoke": plan.smoke,
            "key": cell.key,
        }
        for use in work.scores:
            value = result.scores.get(use.label) if result else None
            state = collected.states[cell.key] if result is None else "unscored"
            yield {
                **shared,
                "score": use.label,
                "value": float("nan") if value is None else value,
                "state": state if value is None else "ok",
            }


def run_rows(plan: Plan, collected: Collected) -> Iterator[Row]:
    """One row per planned training, pretraining included; a branch is no run."""
    runs = _Runs(plan)
    for cell in plan.cells:
        if not isinstance(cell.work, TrainWork) or cell.stage == Stage.BRANCH:
            continue
        row: Row = {
            **runs.of(cell),
            "stage": cell.stage.value,
            "state": collected.states[cell.key],
            "precision": cell.precision,
            "smoke": plan.smoke,
            "key": cell.key,
        }
        record = collected.records.get(cell.key)
        if record is not None and isinstance(record.result, Trained):
            result = record.result
            row |= {
                "steps": result.steps,
                "examples_seen": result.examples_seen,
                "last_loss": result.losses[-1] if result.losses else None,
                "diverged_at": result.diverged_at,
                "pack": result.pack,
                "n": result.examples or None,
                "truncated": result.truncated,
                "wall_seconds": record.wall_seconds,
                "peak_bytes": record.peak_bytes,
                "device": record.machine.device,
            }
        yield row


def cell_rows(plan: Plan, collected: Collected) -> Iterator[Row]:
    """One row per planned cell."""
    for cell in plan.cells:
        work = cell.work
        row: Row = {
            "stage": cell.stage.value,
            "procedure": cell.procedure,
            "metric": work.metric.label if isinstance(work, MeasureWork) else None,
            "pair_kind": work.pair_kind if isinstance(work, MeasureWork) else None,
            "split": work.split.name if isinstance(work, EvaluateWork) else None,
            "state": collected.states[cell.key],
            "precision": cell.precision,
            "smoke": plan.smoke,
            "key": cell.key,
        }
        record = collected.records.get(cell.key)
        if record is not None:
            row |= {
                "device": record.machine.device,
                "processor": record.machine.processor,
                "platform": record.machine.platform,
                "python": record.machine.python,
                "precision": record.precision,
                "wall_seconds": record.wall_seconds,
                "peak_bytes": record.peak_bytes,
                "started": record.started,
            }
        yield row


class _Runs:
    """The columns that every row about one run has."""

    def __init__(self, plan: Plan) -> None:
        self.suite = plan.suite_id
        self.procedures: dict[str, Procedure] = {p.label: p for p in plan.procedures}

    def of(self, cell: Cell) -> Row:
        procedure = self.procedures.get(cell.procedure)
        work = cell.work
        method = work.method.label if isinstance(work, TrainWork) else None
        init = work.init if isinstance(work, TrainWork) and cell.stage != Stage.MERGE else None
        seeds = cell.seeds[0]
        order = seeds.finetune if seeds.order is None else seeds.order
        return {
            "suite": self.suite,
            "procedure": cell.procedure,
            "model": procedure.model.label if procedure else work.model.label,
            "init": procedure.init if procedure else init,
            "method": procedure.method.label if procedure else method,
            "pretrain_seed": seeds.pretrain,
            "finetune_seed": seeds.finetune,
            "order_seed": order,
        }


def spread_frame(findings: Findings) -> pd.DataFrame:
    """One row per procedure x split x score, with its variance shares."""
    shares = {(s.procedure, s.split, s.score): s for s in findings.variance}
    rows = []
    for spread in findings.spreads:
        share = shares[spread.procedure, spread.split, spread.score]
        rows.append(
            spread.model_dump()
            | {
                "share_pretrain": share.pretrain,
                "share_finetune": share.finetune,
                "share_rest": share.interaction,
                "share_note": share.note,
                "suite": findings.suite,
                "smoke": findings.smoke,
            }
        )
    return pd.DataFrame(rows)
