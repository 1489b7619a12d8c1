"""The resolved suite as YAML reads back as the very same suite."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from harness.api.cells import Limit
from harness.suite.nodes import plain
from harness.suite.parsing import parse
from harness.suite.writing import dump

NO_WEIGHTS = (2).to_bytes(8, "little") + b"{}"
"""The smallest safetensors file."""

FULL = """
id: full
version: 1.10
title: "Everything: at once"
sources: [arXiv:2008.11687, "a: b"]
plugins: [./toys.py]
models: [{tiny: {width: {sweep: [8, 16]}}}, {tiny: {start: w.bin}, as: "yes"}]
pretrain:
  data: {dataset: {flowers: {classes: 5}}, train: {by: [{turn: {degrees: 7}}]}, batch: 4}
  method: {fit: {steps: 3}}
data:
  dataset: {flowers: {wild: true, groups: true}}
  train: {by: turn}
  batch: 16
  augment: [{turn: {degrees: 1e-3}, as: wobble}]
  ood:
    far: {by: {turn: {degrees: 60}}, of: val, shift: tilt}
    other:
      {dataset: {flowers: {folder: "${TOY_DATA}", groups: true}}, split: train, by: [turn, turn]}
inits: [pretrained, {random: , as: scratch}, {checkpoint: "w{seed}.safetensors"}]
methods: [fit, {fit: {lr: 2e-5}, as: slow}]
seeds: {pretrain: [3, 1, 2], finetune: 3, order: [5, 4, 3], design: nested}
scores: [right, {fair: {}, as: 1e-3}]
metrics: [{gap: {}, pairs: 7}, {peek: {}, splits: [val, test]}, bend]
primary: {score: 1e-3, id: val, ood: [wild, other]}
"""


@pytest.fixture
def full(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_DATA", str(tmp_path))
    for seed in (1, 2, 3):
        (tmp_path / f"w{seed}.safetensors").write_bytes(NO_WEIGHTS)

    def open_full(**options):
        return opened(FULL, options=options)

    return open_full


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"smoke": True},
        {"limit": Limit(examples=30)},
        {"overrides": ["data.batch=3", "metrics=[]", "title=null"]},
        {"without": ["seedscape:executors"]},
    ],
)
def test_the_text_reads_back_as_the_same_suite(full, opened, options):
    suite = full(**options)
    again = opened(suite.text)
    assert replace(again, text="") == replace(suite, text="")
    assert again.text == suite.text


def test_the_text_reads_back_from_any_folder(full, tmp_path, monkeypatch):
    from harness.suite import open_suite

    suite = full()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "suite.yaml").write_text(suite.text)
    monkeypatch.chdir("/")
    assert open_suite(str(tmp_path / "runs" / "suite.yaml"))[0] == suite


def test_a_variable_stays_a_variable(full, tmp_path):
    suite = full()
    assert "${TOY_DATA}" in suite.text and f"folder: {tmp_path}" not in suite.text
    assert suite.data.splits[-1].dataset.settings["folder"] == str(tmp_path)


def test_a_limit_marks_the_suite_as_a_trial(full):
    assert not full().smoke
    limited = full(limit=Limit(examples=30))
    assert limited.smoke and limited.limit == Limit(examples=30)
    assert len(limited.seeds.pretrain) == 3


def test_a_smoke_trial_cuts_examples_steps_seeds_models_and_methods(full):
    suite = full(smoke=True)
    assert suite.limit == Limit(examples=64, steps=10)
    assert (suite.seeds.pretrain, suite.seeds.finetune) == ((3, 1), (0, 1))
    assert suite.seeds.order == (5, 4)
    assert [use.label for use in suite.models] == ["tiny[width=8]", "tiny[width=16]"]


def test_the_tightest_limit_counts(full):
    assert full(smoke=True, limit=Limit(examples=50)).limit == Limit(examples=50, steps=10)
    assert full(smoke=True, limit=Limit(examples=500)).limit == Limit(examples=64, steps=10)


def test_a_limit_must_limit_something(complaint):
    assert "a limit needs examples or steps" in complaint(limit="{}")
    assert "limit.steps must be at least 1, not 0" in complaint(limit="{steps: 0}")


NAMES = st.text(st.characters(categories=("L", "N")), max_size=5)
WORDS = ["1e-3", ".5", "no", "~", "<<", "0o7", "010", "1_0", "2026-11-20", "${x", ""]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    # what a scalar cannot hold is refused when it is read
    | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
    | st.sampled_from(
        ["1e-3", ".5", "no", "~", "<<", "0o7", "010", "1_0", "2026-11-20", "${x", ""]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(categories=("L", "N")), max_size=5), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(values)
def test_every_value_is_written_so_that_it_reads_back(value):
    read = plain(parse(dump({"a": value}, {}), "s.yaml"))
    assert repr(read["a"]).replace("$${", "${") == repr(value)
