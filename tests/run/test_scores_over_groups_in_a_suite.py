"""A score over groups where one OOD split alone has groups: it is given there, and only there."""

import numpy as np
import pandas as pd
import pytest
from comparison_scene import compare

from harness.analyze.comparable import NotComparable
from harness.analyze.load import load_results
from harness.evaluate.predictions import read_predictions
from harness.plan import expand
from harness.run.execute import execute
from harness.run.options import RunOptions
from harness.store import Store
from harness.suite import open_suite

SUITE = """
id: grouped
version: "1"
model: {mlp: {hidden: [8]}}
data:
  dataset: {table: {path: plain.csv, target: y}}
  batch: 16
  ood: {far: {dataset: {table: {path: groups.csv, target: y, group: g}}}}
inits: [random]
methods: [{full: {steps: 3}}, {full: {steps: 4}, as: longer}]
seeds: {pretrain: 1, finetune: 2}
scores: [accuracy, worst-group]
"""


def rows(seed, n=80):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    x = rng.normal(size=(n, 2)) + y[:, None]
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y})


def test_a_score_over_groups_is_given_on_the_splits_that_have_groups(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows(0).to_csv("plain.csv", index=False)
    rows(1).assign(g=["near", "far"] * 40).to_csv("groups.csv", index=False)
    (tmp_path / "grouped.yaml").write_text(SUITE)
    suite, catalogue = open_suite("grouped.yaml")
    plan, store = expand(suite, catalogue), Store("runs")
    outcome = execute(plan, suite, store, catalogue, RunOptions(executor="serial", display="none"))
    assert not outcome.failed

    results = load_results(plan, store)

    assert not results.problems
    given = results.scores.groupby("split")["score"].unique().map(list).to_dict()
    plain = {"val": ["accuracy"], "test": ["accuracy"]}
    assert given == plain | {"far": ["accuracy", "worst-group"]}
    for row in results.scores[results.scores["score"] == "worst-group"].itertuples():
        said = read_predictions(store.path(row.key, "predictions.parquet"))
        right = said.labels == said.targets
        assert row.value == pytest.approx(min(right[said.groups == g].mean() for g in (0, 1)))
    with pytest.raises(NotComparable) as caught:
        compare("grouped.yaml", store=tmp_path / "runs", score="worst-group", splits=("test",))
    assert caught.value.reasons == (
        "suite grouped 1 has no score 'worst-group' on 'test': no groups",
    )
    assert caught.value.fix == "name splits with groups: --splits far"
