"""A suite pretrains a small model on text, and fine-tunes it with a head of its own."""

from pathlib import Path

import pytest

from harness.plan import expand
from harness.run.execute import execute
from harness.run.options import RunOptions
from harness.store import Store
from harness.suite import open_suite

SUITE = """
id: tiny-text
version: "1"
model:
  tiny-bert: {layers: 1, width: 16, heads: 2, longest: 32}
pretrain:
  data: {dataset: {text: {path: ./train.tsv, text: sentence, test: 4}}, batch: 8}
  method: {full: {steps: 4}}
data:
  dataset: {text: {path: ./train.tsv, text: sentence, label: label, test: 8}}
  batch: 8
inits: [pretrained, random]
methods: [{full: {steps: 3}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
"""


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tiny-bert", "tiny-lm"])
def test_a_suite_pretrains_its_own_model_of_text(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    lines = [f"{'good' if n % 2 else 'bad'} film number {n}\t{n % 2}" for n in range(32)]
    Path("train.tsv").write_text("\n".join(["sentence\tlabel", *lines, ""]))
    Path("suite.yaml").write_text(SUITE.replace("tiny-bert", model))
    suite, catalogue = open_suite("./suite.yaml")
    plan = expand(suite, catalogue)
    options = RunOptions(executor="serial", display="none", device="cpu")
    outcome = execute(plan, suite, Store(Path("runs")), catalogue, options)
    assert {failure.reason for failure in outcome.failed.values()} == set()
    assert outcome.computed == len(plan.cells) and outcome.exit_code == 0
