"""`check` tells every problem before anything runs; `schema` helps editors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.api.errors import HarnessError
from harness.commands import check, schema

TOYS = str(Path(__file__).parents[1] / "suite" / "toy_offers.py")
TEXT = """\
id: toy
version: "1"
title: A toy
model: tiny
data: {dataset: flowers, batch: 8, ood: {far: {by: turn}}}
inits: [random]
methods: [fit]
seeds: {pretrain: 2, finetune: 3}
scores: [right]
metrics: [gap]
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run_it(text, *options, command=check.command):
        Path("toy.yaml").write_text(text)
        arguments = ["toy.yaml", *options] if command is check.command else options
        return CliRunner().invoke(
            command, [*arguments, "-p", TOYS], standalone_mode=False, catch_exceptions=False
        )

    return run_it


def test_check_tells_what_is_strange_and_yet_no_fault_as_a_note(run):
    Path("films.csv").write_text("text,label\n" + "dull,bad\nfine,good\n" * 5)
    labels = "{bad: bad, good: good, ugly: bad}"
    data = f"{{dataset: {{text: {{path: films.csv, label: label, labels: {labels}, test: 2}}}}, "
    text = TEXT.replace("data: {dataset: flowers, ", f"data: {data}")
    text = text.replace("tiny", "reader").replace(", ood: {far: {by: turn}}", "")
    result = run(text)
    assert result.return_value == 0
    assert result.stderr == (
        "note: toy.yaml:5:18: dataset 'text': `labels` names 'ugly', which no row has\n"
    )


def test_check_says_what_the_suite_would_do(run):
    result = run(TEXT)
    assert result.return_value == 0
    assert result.stdout.splitlines() == [
        "toy 1: A toy",
        "  models      tiny",
        "  inits       random",
        "  methods     fit",
        "  seeds       2 pretrain x 3 fine-tune, crossed",
        "  runs        6 in 1 procedure",
        "  data        flowers, batches of 8",
        "  ID splits   val, test",
        "  OOD splits  far",
        "  scores      right",
        "  metrics     gap",
        "  primary     right on test against far",
    ]


def test_check_tells_every_problem_one_per_line(run):
    result = run(TEXT.replace("pretrain: 2", "pretrain: -2").replace("batch: 8", "batc: 8"))
    assert result.return_value == 2 and result.stdout == ""
    assert result.stderr.splitlines() == [
        "error: toy.yaml:5:7: data needs the key 'batch', which is missing",
        "error: toy.yaml:5:26: unknown key 'batc'; did you mean 'batch'?",
        "error: toy.yaml:8:19: the number of pretrain seeds must be at least 1, not -2",
    ]


def test_check_finds_what_only_the_plan_shows(run):
    many = TEXT.replace("pretrain: 2, finetune: 3", "pretrain: 2, finetune: 1000")
    with pytest.raises(HarnessError, match=r"1,999,000 pairs per procedure.*`pairs: 1000`"):
        run(many.replace("[gap]", "[{gap: {}, pairs: all}]"))


def test_check_takes_overrides_and_trials(run):
    result = run(TEXT, "--set", "seeds.pretrain=5", "--smoke")
    assert "  runs        4 in 1 procedure" in result.stdout
    assert "  trial       at most 64 examples per split and 10 steps" in result.stdout


def test_check_shows_the_resolved_suite(run):
    shown = run(TEXT, "--show").stdout
    assert run(shown, "--show").stdout == shown
    assert "design: crossed" in shown


def test_schema_prints_the_offers_with_their_settings(run):
    printed = json.loads(run(TEXT, command=schema.command).stdout)
    assert "width" in printed["$defs"]["model.tiny"]["properties"]


@pytest.mark.parametrize("arguments", [["check", "quick"], ["schema"]])
def test_nothing_heavy_is_imported(arguments):
    code = (
        "import sys\nfrom harness.cli import main\n"
        f"assert main({arguments!r}) == 0\n"
        "heavy = {'torch', 'transformers', 'evaluate', 'datasets', 'sklearn', 'pandas', 'scipy'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True
    )
    assert ran.stdout.splitlines()[-1] == "heavy: []"
