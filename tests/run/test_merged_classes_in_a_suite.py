"""A model of three classes on a dataset of two: scores, losses and errors tell the same story."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.api.results import Scored
from harness.evaluate.predictions import read_predictions
from harness.plan import expand
from harness.run.execute import execute
from harness.run.options import RunOptions
from harness.store import Store
from harness.suite import open_suite

SUITE = """
id: merged
version: "1"
plugins: [./look.py]
model: {mlp: {hidden: [8]}}
data:
  dataset: {table: {path: three.csv, target: y}}
  batch: 16
  ood:
    far:
      dataset: {table: {path: two.csv, target: y}}
      classes: {other: [green, blue], red: red}
inits: [random]
methods: [{full: {steps: 12}}]
seeds: {pretrain: 1, finetune: 2}
scores: [accuracy, nll]
metrics: [{look: {}, splits: [test, far]}, {barrier: {points: 3}, splits: [far]}]
"""
LOOK = '''
"""Loss and error of a run on every split."""
from harness import Metric, Reading, Value, hookimpl

def measure(settings, probe):
    values = []
    for split in probe.splits:
        found = probe.evaluate([probe.weights()], split)
        values += [Value(name="loss", split=split, value=float(found.loss[0]))]
        values += [Value(name="error", split=split, value=float(found.error[0]))]
    return Reading(values=tuple(values), protocol={"examples": 0})

def peek(settings, probe):
    probe.targets("far")

@hookimpl
def harness_metrics():
    given = {"of": "point", "access": "ood-labels"}
    return [
        Metric(name="look", about="looks", measure=measure, **given),
        Metric(name="peek", about="holds targets against logits", measure=peek, **given),
    ]
'''


def rows(classes, seed, n=120):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(classes), n)
    x = rng.normal(size=(n, 2)) + np.array([[0, 1.5], [1, -1], [-1, -1]])[y]
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": [classes[k] for k in y]})


@pytest.fixture
def ran(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows(["red", "green", "blue"], 0).to_csv("three.csv", index=False)
    rows(["red", "other"], 1).to_csv("two.csv", index=False)
    (tmp_path / "look.py").write_text(LOOK)

    def run(text=SUITE):
        (tmp_path / "merged.yaml").write_text(text)
        suite, catalogue = open_suite("merged.yaml")
        plan = expand(suite, catalogue)
        store = Store("runs")
        options = RunOptions(executor="serial", display="none")
        return plan, store, execute(plan, suite, store, catalogue, options)

    return run


def test_scores_losses_and_errors_of_merged_classes_agree(ran):
    plan, store, outcome = ran()
    assert not [failure.reason for failure in outcome.failed.values()]
    looked = {
        (cell.parents[0], value.split, value.name): value.value
        for cell in plan.cells
        if cell.stage == "measure" and cell.work.metric.name == "look"
        for value in store.read(cell.key).result.values
    }
    for cell in plan.cells:
        if cell.stage != "evaluate":
            continue
        scored = store.read(cell.key).result
        assert isinstance(scored, Scored)
        run, split = cell.parents[0], scored.split
        if split not in ("test", "far"):
            continue
        assert looked[run, split, "loss"] == pytest.approx(scored.scores["nll"], rel=1e-5)
        assert looked[run, split, "error"] == pytest.approx(1 - scored.scores["accuracy"])
        if split == "far":
            stored = read_predictions(store.path(cell.key, "predictions.parquet"))
            assert stored.logits.shape == (24, 3)  # all that the model said
            # the classes of three.csv are blue, green, red, those of two.csv other, red
            right = (stored.logits.argmax(1) == 2) == (stored.targets == 1)
            assert scored.scores["accuracy"] == pytest.approx(right.mean())


HELD = """metrics:
- {barrier: {points: 3, scores: [accuracy, nll]}, splits: [test, far]}
- {shared-mistakes: {}, splits: [far]}
- {soup-gain: {greedy: false}, splits: [far]}
"""


def test_metrics_that_hold_logits_against_targets_read_merged_classes(ran):
    before, _, _ = SUITE.partition("metrics:")
    plan, store, outcome = ran(before + HELD)
    assert not [failure.reason for failure in outcome.failed.values()]
    read = {c.work.metric.name: c for c in plan.cells if c.stage == "measure"}
    reading = {name: store.read(cell.key).result for name, cell in read.items()}
    runs = read["barrier"].parents
    evaluated = {(c.parents[0], c.work.split.name): c for c in plan.cells if c.stage == "evaluate"}
    for curve in reading["barrier"].curves:
        for place, run in ((0, runs[0]), (-1, runs[1])):
            scores = store.read(evaluated[run, curve.split].key).result.scores
            for name in ("accuracy", "nll"):
                assert curve.y[name][place] == pytest.approx(scores[name], rel=1e-5)
    said = [
        read_predictions(store.path(evaluated[run, "far"].key, "predictions.parquet"))
        for run in runs
    ]
    wrong = [each.labels != each.targets for each in said]
    values = {value.name: value.value for value in reading["shared-mistakes"].values}
    assert values["error-inconsistency"] == pytest.approx((wrong[0] != wrong[1]).mean())
    both, same = wrong[0] & wrong[1], said[0].logits.argmax(1) == said[1].logits.argmax(1)
    assert values["same-wrong-label"] == pytest.approx((both & same).sum() / both.sum())
    together = replace(said[0], logits=(said[0].logits + said[1].logits) / 2)
    gain = np.mean(wrong) - (together.labels != together.targets).mean()
    values = {value.name: value.value for value in reading["soup-gain"].values}
    assert values["ensemble-gain-error"] == pytest.approx(gain)


ASKED = """metrics:
- {agreement: {}, splits: [test, far]}
- {confidence: {}, splits: [test, far]}
"""


def test_answers_and_confidence_on_merged_classes_are_those_of_the_stored_predictions(ran):
    before, _, _ = SUITE.partition("metrics:")
    before = before.replace("pretrain: 1, finetune: 2", "pretrain: 2, finetune: 1")
    plan, store, outcome = ran(before.replace("steps: 12", "steps: 1") + ASKED)
    assert not [failure.reason for failure in outcome.failed.values()]
    said = {
        c.parents[0]: read_predictions(store.path(c.key, "predictions.parquet"))
        for c in plan.cells
        if c.stage == "evaluate" and c.work.split.name == "far"
    }
    apart = [each.logits.argmax(1) for each in said.values()]
    alike = np.mean([a == b for a, b in zip(*(each.labels for each in said.values()), strict=True)])
    assert alike > (apart[0] == apart[1]).mean()  # the scene tells the two apart
    for cell in plan.cells:
        if cell.stage != "measure":
            continue
        found = {v.name: v.value for v in store.read(cell.key).result.values if v.split == "far"}
        if cell.work.metric.name == "agreement":
            assert found["agreement"] == pytest.approx(alike)
        else:
            shares = said[cell.parents[0]].probabilities
            assert found["mean-confidence"] == pytest.approx(shares.max(1).mean(), rel=1e-5)
            entropy = -(shares * np.log(shares)).sum(1).mean()
            assert found["mean-entropy"] == pytest.approx(entropy, rel=1e-5)


def test_a_metric_that_wants_targets_of_the_networks_classes_says_why_it_cannot(ran):
    _, _, outcome = ran(SUITE.replace("{look: {}, splits: [test, far]}", "peek"))
    reasons = {failure.reason for failure in outcome.failed.values()}
    assert len(reasons) == 1
    assert "the split 'far' has merged classes" in reasons.pop()
