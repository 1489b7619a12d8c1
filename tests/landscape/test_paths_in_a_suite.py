"""Metrics of pairs, paths and groups on runs that were trained: nothing is made up here."""

import math

import pytest

import harness
from harness.run.options import RunOptions

SUITE = """
id: paths
version: "1"
title: All metrics of pairs, paths and groups
model: {cnn: {width: 4}}
pretrain:
  data: {dataset: digits, train: {by: {rotation: {degrees: [20, 70]}}}, batch: 64}
  method: {full: {steps: 30}}
data: {dataset: digits, batch: 64, ood: {noise: {by: {noise: {sd: 0.3}}}}}
inits: [pretrained, random]
methods: [{full: {steps: 10}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
metrics:
  - barrier
  - aligned-barrier: {unaligned: true}
  - convexity-gap
  - distance
  - layerwise-barrier
  - wise-curve
  - basin: {deltas: [0.5], samples: 2}
    pairs: 2
  - agreement
  - shared-mistakes
  - soup-gain
  - cg-clusters: {examples: 100, resamples: 5}
  - bezier: {steps: 20}
    pairs: 2
  - polychain: {steps: 20}
    pairs: 2
  - rewind
  - criticality: {examples: 50, scales: 3, steps: 2}
"""


@pytest.mark.slow
def test_every_metric_of_pairs_paths_and_groups_is_read_on_trained_runs(tmp_path):
    path, store = tmp_path / "suite.yaml", tmp_path / "runs"
    path.write_text(SUITE)
    options = RunOptions(executor="serial")
    results = harness.run(path, store=store, report=False, options=options, limit=150)
    readings = results.readings
    assert not results.problems
    shown = readings.groupby("metric")["name"].agg(set)
    assert {"gap-loss", "gap-error"} <= shown["convexity-gap"]
    assert {"l2", "cosine"} <= shown["distance"]
    assert {"middle-gain-error", "chosen-gain-error", "area-error"} <= shown["wise-curve"]
    assert {"gain-loss", "within-gain-loss", "ensemble-gain-loss"} <= shown["soup-gain"]
    assert {f"membership[{seeds}]" for seeds in ("0/0", "0/1", "1/0", "1/1")} <= shown[
        "cg-clusters"
    ]
    assert {"lerp-loss", "straight-lerp-loss", "length"} <= shown["bezier"] & shown["polychain"]
    assert {"error-init-max", "loss-fresh-1-max"} <= shown["rewind"]
    assert {"criticality", "criticality-relative"} <= shown["criticality"]
    same = readings[(readings["metric"] == "distance") & (readings["name"] == "l2-start")]
    apart = dict(zip(same["pair_kind"], same["value"], strict=True))
    assert apart["same-pretrain-seed"] == 0.0
    assert apart["different-pretrain-seed"] > 0
    barrier, gap = (
        readings[(readings["metric"] == metric) & (readings["name"] == name)]
        .set_index(["subject", "procedure", "split"])["value"]
        .sort_index()
        for metric, name in (("barrier", "lerp-loss"), ("convexity-gap", "gap-loss"))
    )
    assert (gap >= barrier - 1e-9).all()
    apart, aligned = (
        readings[(readings["metric"] == metric) & (readings["name"] == name)]
        .set_index(["subject", "procedure", "split"])["value"]
        .sort_index()
        for metric, name in (("barrier", "lerp-loss"), ("aligned-barrier", "unaligned-lerp-loss"))
    )
    assert aligned.tolist() == pytest.approx(apart.tolist(), abs=1e-6)
    finite = readings[
        ~readings["metric"].isin(["basin", "cg-clusters", "criticality", "shared-mistakes"])
    ]
    assert finite["value"].map(math.isfinite).mean() > 0.99
