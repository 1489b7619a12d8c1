"""Whatever metric `check` lets pass is read on real runs, its settings as they are by default."""

import numpy as np
import pandas as pd
import pytest

from harness.plan import expand
from harness.run.execute import execute
from harness.run.options import RunOptions
from harness.store import Store
from harness.suite import open_suite
from harness_landscape import harness_metrics

SUITE = """
id: everything
version: "1"
plugins: [regression_scene]
model: {mlp: {hidden: [6]}}
data: DATA
inits: [random]
methods: [{full: {steps: 12, checkpoints: log, lr: {sweep: [1.0e-3, 3.0e-3]}}}]
seeds: {pretrain: 1, finetune: 2}
scores: SCORES
metrics: METRICS
"""
NUMBERS = "{dataset: toy-slope, batch: 16}"
MERGED = """
  dataset: {table: {path: three.csv, target: y}}
  batch: 16
  ood:
    far:
      dataset: {table: {path: two.csv, target: y}}
      classes: {other: [green, blue], red: red}
"""


def rows(classes, seed, n=90):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(classes), n)
    x = rng.normal(size=(n, 2)) + np.array([[0, 1.5], [1, -1], [-1, -1]])[y]
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": [classes[k] for k in y]})


def metrics(kind):
    """All in the catalogue that are for a kind of task and for a model without attention."""
    offers = [offer for offer in harness_metrics() if kind in offer.tasks]
    return [offer.name for offer in offers if offer.name != "attention-logits"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "data", "scores"),
    [("classification", MERGED, "[accuracy, nll]"), ("regression", NUMBERS, "[mse, pearson]")],
)
def test_what_passes_the_check_does_not_fail_in_the_run(tmp_path, monkeypatch, kind, data, scores):
    monkeypatch.chdir(tmp_path)
    rows(["red", "green", "blue"], 0).to_csv("three.csv", index=False)
    rows(["red", "other"], 1).to_csv("two.csv", index=False)
    names = metrics(kind)
    assert len(names) >= 25
    text = SUITE.replace("DATA", data).replace("SCORES", scores)
    scored = [
        f"{{{name}: {{scores: {scores}}}}}" if name in ("barrier", "learning-curve") else name
        for name in names
    ]
    (tmp_path / "all.yaml").write_text(text.replace("METRICS", f"[{', '.join(scored)}]"))
    suite, catalogue = open_suite("./all.yaml")
    plan = expand(suite, catalogue)
    options = RunOptions(executor="serial", display="none")
    outcome = execute(plan, suite, Store("runs"), catalogue, options)
    assert not [failure.reason for failure in outcome.failed.values()]
    assert {cell.work.metric.name for cell in plan.cells if cell.stage == "measure"} == {*names}
