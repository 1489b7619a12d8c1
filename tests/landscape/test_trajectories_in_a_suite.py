"""Metrics of trajectories on runs that were trained: nothing is made up here."""

import math

import pytest

import harness
from harness.run.options import RunOptions
from harness.suite import SuiteError

SUITE = """
id: ways
version: "1"
title: All metrics of trajectories
model: {mlp: {hidden: [16]}}
pretrain:
  data: {dataset: digits, train: {by: {rotation: {degrees: [20, 70]}}}, batch: 32}
  method: {full: {steps: 20}}
data: {dataset: digits, batch: 32, augment: [{translation: {pixels: 1}}]}
inits: [pretrained, random]
methods: [{full: {steps: 24, optimizer: sgd, lr: 0.05, checkpoints: CHECKPOINTS}}]
seeds: {pretrain: 1, finetune: 2}
scores: [accuracy]
metrics:
  - rms-spikes
  - subspace-dimension
  - edge-of-stability: {examples: 100}
  - break-even: {examples: 100}
  - hessian-top: {examples: 100, k: 1, which: value, tolerance: 0.01}
"""


def results_of(folder, checkpoints="log", text=SUITE):
    path = folder / "suite.yaml"
    path.write_text(text.replace("CHECKPOINTS", checkpoints))
    options = RunOptions(executor="serial")
    return harness.run(path, store=folder / "runs", report=False, options=options, limit=150)


@pytest.mark.slow
def test_every_metric_of_trajectories_is_read_on_trained_runs(tmp_path):
    results = results_of(tmp_path)
    readings = results.readings
    assert not results.problems
    assert set(readings[readings["of"] == "trajectory"]["metric"]) == {
        "rms-spikes", "subspace-dimension", "edge-of-stability", "break-even"
    }  # fmt: skip
    drift = readings[readings["name"] == "replay-drift"]
    assert len(drift) == 4
    assert (drift["value"] == 0.0).all()
    shown = readings[readings["metric"] == "subspace-dimension"]
    points = shown[shown["name"] == "points"]["value"]
    assert (points == 7).all()  # 0, 1, 2, 4, 8, 16, 24
    last = readings[readings["name"].isin(["final-sharpness", "eigenvalue-1"])]
    for _, pair in last.groupby(["procedure", "finetune_seed_a"]):
        one, other = pair["value"]
        assert one == pytest.approx(other, rel=0.02)
    assert readings[readings["name"] == "break-even-step"]["value"].map(math.isfinite).all()


def test_runs_without_checkpoints_are_told_how_to_keep_some_before_they_train(tmp_path):
    with pytest.raises(SuiteError) as caught:
        results_of(tmp_path, "[]")
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == 2
    assert all("set `checkpoints: log` in full" in line for line in told)
    assert not (tmp_path / "runs").exists()
