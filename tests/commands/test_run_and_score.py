"""`seedscape run` and `seedscape score`: options, reports, what is said and the exit codes."""

import pytest

from harness.cli import main

SUITE = """
id: tiny
version: "1"
title: A tiny suite
model: {mlp: {hidden: [8]}}
data: {dataset: digits, batch: 16, ood: {noise: {by: {noise: {sd: 0.3}}}}}
inits: [random]
methods: [{full: {steps: 3}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
"""


def seedscape(capfd, *words):
    code = main([str(word) for word in words])
    out, err = capfd.readouterr()
    return code, out, err


def test_a_run_prints_its_findings_and_writes_a_report_and_again_does_neither_anew(
    suite_file, tmp_path, capfd
):
    path, store = suite_file(SUITE), tmp_path / "runs"
    words = ("run", path, "--store", store, "--executor", "serial")
    code, out, err = seedscape(capfd, *words)
    assert (code, err) == (0, "")
    report = store / "suites" / "tiny-1" / "report.html"
    assert out.startswith(f"{path}: reading the suite\n")
    assert ": 16 computed, 0 reused\n" in out
    assert "A tiny suite" in out
    assert f"report: {report}" in out
    written = report.stat().st_mtime_ns
    findings = (store / "suites" / "tiny-1" / "findings.json").read_text()
    code, again, _ = seedscape(capfd, *words)
    assert code == 0
    assert "0 computed" in again
    assert again.split("reused\n")[1] == out.split("reused\n")[1]
    assert report.stat().st_mtime_ns == written
    assert (store / "suites" / "tiny-1" / "findings.json").read_text() == findings


def test_findings_are_made_anew_when_the_suite_says_something_else(suite_file, tmp_path, capfd):
    store = tmp_path / "runs"
    words = ("--store", store, "--executor", "serial")
    seedscape(capfd, "run", suite_file(SUITE), *words)
    code, out, _ = seedscape(capfd, "run", suite_file(SUITE), *words, "--set", "title=Another name")
    assert code == 0
    assert "0 computed" in out
    assert "Another name" in out


def test_spoilt_findings_and_a_missing_report_are_made_anew(suite_file, tmp_path, capfd):
    path, store = suite_file(SUITE), tmp_path / "runs"
    words = ("run", path, "--store", store, "--executor", "serial")
    _, out, _ = seedscape(capfd, *words)
    folder = store / "suites" / "tiny-1"
    (folder / "findings.json").write_text('{"state": ')
    code, again, _ = seedscape(capfd, *words)
    assert (code, again.split("reused\n")[1]) == (0, out.split("reused\n")[1])
    (folder / "report.html").unlink()
    seedscape(capfd, *words)
    assert (folder / "report.html").is_file()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--pack", "none"], "--pack: 'none' is neither auto nor a number of runs"),
        (["--pack", "0"], "--pack: '0' is neither auto nor a number of runs"),
        (["--executor", "{processes: 3}"], "--executor: cannot read '{processes: 3}'"),
        (["--executor", "{processes: {start: never}}"], "does not accept its settings"),
        (["--executor", "nowhere"], "there is no executor 'nowhere'"),
        (["--device", "toaster"], "unknown device 'toaster'"),
        (["--compile", "--pack", "4"], "compiled runs are trained one at a time"),
        (["--report", "papyrus"], "there is no reporter 'papyrus'"),
        (["--device", "cuda:99", "--executor", "serial"], "no device 'cuda:99'"),
        (["--device", "cuda:99"], "no device 'cuda:99'"),
    ],
)
def test_a_wrong_option_is_one_line_before_anything_is_written(
    suite_file, tmp_path, capfd, options, complaint
):
    code, _, err = seedscape(
        capfd, "run", suite_file(SUITE), "--store", tmp_path / "runs", *options
    )
    assert code == 2
    assert complaint in err
    assert err.count("\n") == 1
    assert not (tmp_path / "runs" / "cells").exists()


@pytest.mark.slow
def test_settings_of_an_executor_are_written_as_in_a_suite(suite_file, tmp_path, capfd):
    executor = "{processes: {start: fork}}"
    words = ("--store", tmp_path / "runs", "--executor", executor, "--no-report", "--workers", 1)
    one = ("--set", "seeds.pretrain=1", "--set", "seeds.finetune=1", "--set", "data.ood=null")
    code, out, err = seedscape(capfd, "run", suite_file(SUITE), *words, *one)
    assert (code, err) == (0, "")
    assert "1 worker\n" in out
    assert "report" not in out


def test_score_scores_stored_predictions_and_counts_what_was_never_predicted(
    suite_file, tmp_path, capfd
):
    path, store = suite_file(SUITE), tmp_path / "runs"
    seedscape(capfd, "run", path, "--store", store, "--executor", "serial", "--no-report")
    code, out, err = seedscape(capfd, "score", path, "--store", store, "--score", "mcc")
    assert (code, err) == (0, "")
    assert "0 of 12 evaluations had these scores, 12 were scored from stored predictions" in out
    assert "mcc" in out
    more = ("score", path, "--store", store, "--score", "mcc", "--set", "seeds.finetune=3")
    code, out, err = seedscape(capfd, *more)
    assert code == 1
    assert "12 of 18 evaluations had these scores" in out
    assert "6 evaluations have no stored predictions" in err


def test_score_predicts_nothing_where_the_stored_predictions_are_damaged(
    suite_file, tmp_path, capfd
):
    path, store = suite_file(SUITE), tmp_path / "runs"
    seedscape(capfd, "run", path, "--store", store, "--executor", "serial", "--no-report")
    spoilt, *_ = sorted(store.glob("cells/evaluate/*/*/predictions.parquet"))
    spoilt.unlink()
    code, out, err = seedscape(capfd, "score", path, "--store", store, "--score", "mcc")
    assert code == 1
    assert "11 were scored from stored predictions" in out
    assert "1 evaluations have no stored predictions" in err


def test_score_refuses_a_score_over_groups_that_the_data_do_not_have(suite_file, tmp_path, capfd):
    words = ("score", suite_file(SUITE), "--store", tmp_path / "runs", "--score", "worst-group")
    code, _, err = seedscape(capfd, *words)
    assert (code, err) == (
        2,
        "error: --score: the score 'worst-group' needs groups; dataset 'digits' has none\n",
    )


def test_score_says_which_scores_have_no_value_and_why(suite_file, tmp_path, capfd):
    path, store = suite_file(SUITE), tmp_path / "runs"
    seedscape(capfd, "run", path, "--store", store, "--executor", "serial", "--no-report")
    plugin = tmp_path / "shy.py"
    plugin.write_text(SHY)
    words = ("score", path, "--store", store, "-p", plugin, "--score", "shy")
    code, _, err = seedscape(capfd, *words)
    assert code == 1
    assert "not scored: shy: not today (12 evaluations)\n" in err


SHY = """
from harness import Score, hookimpl

def compute(settings, predictions, references, groups=None):
    raise ValueError("not today")

@hookimpl
def harness_scores():
    yield Score(
        name="shy", about="", module=print, higher_is_better=True, compute=compute
    )
"""


def test_score_shows_labels_as_they_are_and_marks_a_trial(suite_file, tmp_path, capfd):
    text = SUITE.replace("model: {mlp: {hidden: [8]}}", f"models: [{EVIL}, mlp]")
    path, store = suite_file(text), tmp_path / "runs"
    words = (path, "--store", store, "--smoke")
    seedscape(capfd, "run", *words, "--executor", "serial", "--no-report")
    code, out, _ = seedscape(capfd, "score", *words)
    assert code == 0
    assert "a[/b]" in out
    assert "TRIAL RUN" in out


EVIL = '{mlp: {hidden: [8]}, as: "a[/b]"}'


def test_score_knows_every_score_and_no_other(suite_file, tmp_path, capfd):
    path = suite_file(SUITE)
    code, _, err = seedscape(capfd, "score", path, "--store", tmp_path, "--score", "acuracy")
    assert code == 2
    assert "did you mean 'accuracy'" in err


def test_the_help_of_run_tells_every_option_with_its_default(capfd):
    _, text, _ = seedscape(capfd, "run", "--help")
    for option in ("--executor", "--workers", "--device", "--precision", "--pack", "--offline"):
        assert option in text
