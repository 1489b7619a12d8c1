"""Stores whose predictions are written by hand: procedures to compare, and nothing is trained."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from made_up_offers import MACHINE

from harness.analyze.comparing import compare_procedures
from harness.analyze.comparison_design import Asked
from harness.api.cells import Cell, EvaluateWork, Plan
from harness.api.comparisons import Comparison
from harness.api.results import CellRecord, Machine, Scored, Trained
from harness.commands.operands import contenders_of
from harness.commands.options import SuiteOptions
from harness.evaluate.predictions import Predictions, write_predictions
from harness.evaluate.scoring import score
from harness.plan import expand, identity_of
from harness.store import Store
from harness.suite import open_suite

EXAMPLES = 60
CLASSES = 10
SUITE = """
id: tiny
version: "1"
title: Tiny
model: {mlp: {hidden: [8]}}
data: {dataset: digits, batch: 16, ood: {noise: {by: {noise: {sd: 0.3}}}}}
inits: [random]
methods: [{full: {steps: 3}, as: slow}, {full: {steps: 4}, as: v1.5 fast}]
seeds: {pretrain: 6, finetune: 2}
scores: [accuracy, nll, macro-f1]
"""
TWO = SUITE.replace(
    "ood: {noise: {by: {noise: {sd: 0.3}}}}",
    "ood: {noise: {by: {noise: {sd: 0.3}}}, turned: {by: {rotation: {degrees: 60}}}}",
)
"""The same on two OOD splits."""
SLOW, FAST = "random · slow", "random · v1.5 fast"

Right = Callable[[Cell], np.ndarray]
"""Which examples an evaluation gets right."""


def write_suite(folder: Path, text: str = SUITE, name: str = "tiny.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def drawn(cell: Cell) -> np.ndarray:
    """Right answers by chance: the fast procedure is better, and seeds differ."""
    seeds = cell.seeds[0]
    generator = np.random.default_rng([seeds.pretrain, seeds.finetune or 0, len(cell.procedure)])
    level = 0.5 + 0.02 * seeds.pretrain + (0.3 if cell.procedure == FAST else 0.0)
    return generator.random(EXAMPLES) < level


def predictions_of(right: np.ndarray, examples: int = EXAMPLES) -> Predictions:
    targets = np.arange(examples) % CLASSES
    chosen = np.where(right, targets, (targets + 1) % CLASSES)
    logits = np.where(np.arange(CLASSES) == chosen[:, None], 2.0, 0.0).astype(np.float32)
    return Predictions(logits=logits, targets=targets, examples=np.arange(examples))


def fill(
    suite: str,
    store: Path,
    right: Right = drawn,
    *,
    without: Callable[[Cell], bool] = lambda cell: False,
    overrides: Sequence[str] = (),
    precision: str = "float32",
) -> Plan:
    """Write all cells of the suite but those `without`, and but the split val."""
    checked, catalogue = open_suite(suite, overrides=overrides)
    plan = expand(checked, catalogue, precision=precision)
    place = Store(store)
    for cell in plan.cells:
        unasked = isinstance(cell.work, EvaluateWork) and cell.work.split.name == "val"
        if unasked or without(cell):
            continue
        if isinstance(cell.work, EvaluateWork):
            answers = right(cell)
            predictions = predictions_of(answers, len(answers))
            scored = score(predictions, cell.work.scores, catalogue, cell.work.split)
            write = {"predictions.parquet": lambda path, p=predictions: write_predictions(path, p)}
            place.write(record_of(cell, scored), write)
        else:
            trained = Trained(steps=3, examples_seen=48, loss_steps=[3], losses=[0.5])
            place.write(record_of(cell, trained), {})
    return plan


def record_of(cell: Cell, result: Trained | Scored, machine: Machine = MACHINE) -> CellRecord:
    return CellRecord(
        key=cell.key,
        stage=cell.stage.value,
        identity=identity_of(cell),
        parents=list(cell.parents),
        result=result,
        settings={},
        plugins=[],
        machine=machine,
        precision=cell.precision,
        smoke=False,
        started=datetime(2026, 1, 2, tzinfo=UTC),
        wall_seconds=1.0,
        peak_bytes=0,
    )


def compare(*operands: str, store: Path, overrides: Sequence[str] = (), **asked) -> Comparison:
    """A comparison of few replicates."""
    options = SuiteOptions("", overrides=tuple(overrides))
    contenders = contenders_of(operands, str(store), options, asked.pop("precision", "float32"))
    return compare_procedures(contenders, replace(Asked(replicates=400), **asked))


def is_of(procedure: str, pretrain: int, finetune: int) -> Callable[[Cell], bool]:
    """Whether a cell is a run, or an evaluation of one."""

    def found(cell: Cell) -> bool:
        seeds = cell.seeds[0]
        same = (seeds.pretrain, seeds.finetune) == (pretrain, finetune)
        return cell.procedure == procedure and same

    return found
