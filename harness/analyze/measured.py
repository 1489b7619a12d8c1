"""Frames of what was measured: values, curves and grids of readings, one row per number."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.analyze.collect import Collected, run_text
from harness.analyze.frames import Row
from harness.api.cells import Cell, MeasureWork, Plan
from harness.api.readings import Curve, Grid, Reading

_PAIR = ["pretrain_seed_a", "finetune_seed_a", "pretrain_seed_b", "finetune_seed_b", "pair_kind"]
_SUBJECT = ["suite", "procedure", "metric", "of"]
READINGS = [
    *_SUBJECT, "name", "split", "value", "standard_error", *_PAIR, "subject", "detail",
    "converged", "forward", "backward", "seconds", "state", "diverged", "smoke", "key",
]  # fmt: skip
CURVES = [
    *_SUBJECT, "curve", "quantity", "split", *_PAIR, "subject", "x", "y", "axis", "label",
    "against", "diverged", "smoke", "key",
]  # fmt: skip
GRIDS = [
    *_SUBJECT, "grid", "quantity", "split", *_PAIR, "subject", "row", "column", "x", "y", "z",
    "diverged", "smoke", "key",
]  # fmt: skip
_PLACES = ("row", "column")
_NUMBERS = ("x", "y", "z")
_SEEDS = ("pretrain_seed_a", "finetune_seed_a", "pretrain_seed_b", "finetune_seed_b")


def reading_rows(plan: Plan, collected: Collected) -> Iterator[Row]:
    """One row per value of each planned measurement; one without name and value if unfinished."""
    for shared, reading in _measured(plan, collected):
        if reading is None:
            nothing = {"value": float("nan"), "standard_error": float("nan")}
            yield {**shared, **nothing, "detail": False, "converged": False}
            continue
        cost = reading.cost
        for value in reading.values:
            yield {
                **shared,
                "name": value.name,
                "split": value.split,
                "value": value.value,
                "standard_error": value.standard_error,
                "detail": value.detail,
                "converged": reading.converged,
                "forward": cost.forward,
                "backward": cost.backward,
                "seconds": cost.seconds,
            }


def curve_rows(plan: Plan, collected: Collected) -> Iterator[Row]:
    """One row per point along each curve and quantity."""
    for shared, reading in _measured(plan, collected):
        for curve in reading.curves if reading else ():
            yield from _points(shared, curve)


def _points(shared: Row, curve: Curve) -> Iterator[Row]:
    labels = curve.labels if len(curve.labels) == len(curve.x) else [None] * len(curve.x)
    one = {
        **shared,
        "curve": curve.name,
        "split": curve.split,
        "axis": curve.axis,
        "against": curve.against,
    }
    for quantity, heights in curve.y.items():
        for x, label, y in zip(curve.x, labels, heights, strict=True):
            yield {**one, "quantity": quantity, "x": x, "label": label, "y": y}


def grid_frame(plan: Plan, collected: Collected) -> pd.DataFrame:
    """One row per number of each grid and quantity; words are categories, since grids are large."""
    blocks = [
        _block(shared, grid, quantity, rows)
        for shared, reading in _measured(plan, collected)
        for grid in (reading.grids if reading else ())
        for quantity, rows in grid.z.items()
    ]
    sizes = [len(numbers["z"]) for _, numbers in blocks]
    columns: dict[str, object] = {}
    for name in GRIDS:
        if name in _NUMBERS or name in _PLACES:
            kind = np.float64 if name in _NUMBERS else np.int64
            parts = [numbers[name] for _, numbers in blocks]
            columns[name] = np.concatenate(parts) if parts else np.empty(0, kind)
            continue
        words = pd.Series([shared.get(name) for shared, _ in blocks], dtype="object")
        if name in ("diverged", "smoke"):
            words = words.astype("bool")
        else:
            words = words.astype("Int64" if name in _SEEDS else "category")
        columns[name] = words.repeat(sizes).reset_index(drop=True)
    return pd.DataFrame(columns)


def _block(
    shared: Row, grid: Grid, quantity: str, rows: list[list[float]]
) -> tuple[Row, dict[str, np.ndarray]]:
    height, width = len(grid.y), len(grid.x)
    row, column = np.indices((height, width))
    numbers = {
        "row": row.ravel(),
        "column": column.ravel(),
        "x": np.tile(np.asarray(grid.x, dtype=np.float64), height),
        "y": np.repeat(np.asarray(grid.y, dtype=np.float64), width),
        "z": np.asarray(rows, dtype=np.float64).ravel(),
    }
    words = {"grid": grid.name, "quantity": quantity, "split": grid.split}
    return {**shared, **words}, numbers


def subject_text(cell: Cell) -> str:
    """The runs that were measured, each once: "0/1", or "0/1 2/1" for a pair."""
    return " ".join(dict.fromkeys(run_text(seeds) for seeds in cell.seeds))


def _measured(plan: Plan, collected: Collected) -> Iterator[tuple[Row, Reading | None]]:
    for cell in plan.cells:
        if not isinstance(cell.work, MeasureWork):
            continue
        record = collected.records.get(cell.key)
        result = record.result if record is not None else None
        reading = result if isinstance(result, Reading) else None
        first = cell.seeds[0]
        second = cell.seeds[1] if cell.work.of == "pair" and len(cell.seeds) == 2 else None
        shared: Row = {
            "suite": plan.suite_id,
            "procedure": cell.procedure,
            "metric": cell.work.metric.label,
            "of": cell.work.of,
            "pretrain_seed_a": first.pretrain,
            "finetune_seed_a": first.finetune,
            "pretrain_seed_b": second.pretrain if second else None,
            "finetune_seed_b": second.finetune if second else None,
            "pair_kind": cell.work.pair_kind,
            "subject": subject_text(cell),
            "state": collected.states[cell.key],
            "diverged": cell.key in collected.diverged,
            "smoke": plan.smoke,
            "key": cell.key,
        }
        yield shared, reading
