"""Training losses step by step, as they were logged: a frame, and their mean over the runs."""

import math
from collections.abc import Iterator

import pandas as pd

from harness.analyze.collect import Collected, run_text
from harness.analyze.frames import Row, grouped, records
from harness.analyze.lines import mean_curves
from harness.api.cells import Plan, Stage, TrainWork
from harness.api.pictures import MeanCurve
from harness.api.results import Trained

LOSSES = [
    "suite", "procedure", "model", "stage", "pretrain_seed", "finetune_seed", "order_seed",
    "subject", "step", "loss", "diverged", "smoke", "key",
]  # fmt: skip
NAMES = {"pretrain": "pretraining", "finetune": "fine-tuning"}


def loss_rows(plan: Plan, collected: Collected) -> Iterator[Row]:
    """One row per finished training and step whose loss was logged, pretraining included."""
    for cell in plan.cells:
        record = collected.records.get(cell.key)
        if cell.stage.value not in NAMES or not isinstance(cell.work, TrainWork) or record is None:
            continue
        if not isinstance(record.result, Trained):
            continue
        seeds = cell.seeds[0]
        shared: Row = {
            "suite": plan.suite_id,
            "procedure": cell.procedure,
            "model": cell.work.model.label,
            "stage": cell.stage.value,
            "pretrain_seed": seeds.pretrain,
            "finetune_seed": seeds.finetune,
            "order_seed": seeds.finetune if seeds.order is None else seeds.order,
            "subject": run_text(seeds),
            "diverged": cell.key in collected.diverged,
            "smoke": plan.smoke,
            "key": cell.key,
        }
        for step, loss in zip(record.result.loss_steps, record.result.losses, strict=True):
            yield {**shared, "step": step, "loss": loss}


def learning_curves(losses: pd.DataFrame) -> tuple[MeanCurve, ...]:
    """Per stage and procedure (of a pretraining: per model) the mean loss over its trainings.

    A training that diverged has NaN from there on, so that the mean ends there too.
    """
    found: list[MeanCurve] = []
    rows = [row | {"owner": row["procedure"] or row["model"]} for row in records(losses)]
    for here in grouped(rows, ["stage", "owner"]):
        trainings = grouped(here, ["key"])
        steps = sorted({row["step"] for row in here})
        points = [
            {
                "key": training[0]["key"],
                "subject": training[0]["subject"],
                "x": float(step),
                "y": logged.get(step, math.nan),
            }
            for training in trainings
            for logged in ({row["step"]: row["loss"] for row in training},)
            for step in steps
        ]
        shared = {
            "procedure": here[0]["owner"],
            "metric": "training",
            "of": "trajectory",
            "curve": NAMES[here[0]["stage"]],
            "quantity": "loss",
            "split": "train",
            "pair_kind": None,
            "axis": "step",
            "label": None,
            "against": None,
        }
        found += mean_curves(pd.DataFrame([shared | point for point in points]))
    return tuple(sorted(found, key=lambda one: one.curve == NAMES[Stage.FINETUNE.value]))
