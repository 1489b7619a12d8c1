"""What the commands say and do about branches of runs."""

import json
import shutil
from datetime import UTC, datetime

import pytest

import harness
from harness.analyze.load import load_results
from harness.api.results import Failure
from harness.cli import main
from harness.plan import expand
from harness.store import Store
from harness.suite import open_suite

BARE = """
id: tiny
version: "1"
model: {mlp: {hidden: [8]}}
data: {dataset: digits, batch: 16}
inits: [random]
methods: [{full: {steps: 6, checkpoints: [0, 3]}}]
seeds: {pretrain: 1, finetune: 2}
scores: [accuracy]
"""
ASKS = "{instability: {steps: [0, 4], points: 3}}"
SUITE = f"{BARE}metrics: [{ASKS}]\n"
OPTIONS = harness.RunOptions(executor="serial", display="none")


def seedscape(capfd, *words):
    code = main([str(word) for word in words])
    out, err = capfd.readouterr()
    return code, out, err


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store with the suite's runs, but for the metric."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "suite.yaml").write_text(BARE)
    harness.run(folder / "suite.yaml", store=folder / "runs", options=OPTIONS, report=False)
    return folder / "runs"


@pytest.fixture
def store(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "runs")
    return tmp_path / "runs"


def planned(path):
    suite, catalogue = open_suite(str(path))
    return expand(suite, catalogue)


def cells(store, stage):
    return sorted(path.parent.name for path in store.glob(f"cells/{stage}/*/*/record.json"))


def test_a_plan_counts_and_costs_branches_apart_from_runs(suite_file, store, capfd):
    path = suite_file(SUITE)
    code, out, _ = seedscape(capfd, "plan", path, "--store", store, "--cost")
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert ["finetune", "random", "-", "2", "12", "2"] in rows
    assert ["branch", "random", "-", "4", "24", "0"] in rows
    (cost,) = (row for row in rows if row[:1] == ["branch"] and "B" in " ".join(row))
    assert cost[-3:] == ["2", "finished", "trainings"]
    _, out, _ = seedscape(capfd, "plan", path, "--store", store, "--json")
    told = [cell["branch"] for cell in json.loads(out)["cells"] if cell["stage"] == "branch"]
    assert told == [{"step": 0, "copy": 1}, {"step": 4, "copy": 1}] * 2


def test_a_branch_takes_the_disk_of_final_weights_and_no_checkpoints(suite_file, store, capfd):
    _, out, _ = seedscape(capfd, "plan", suite_file(SUITE), "--store", store, "--cost", "--json")
    shares = {share["stage"]: share for share in json.loads(out)["cost"]["shares"]}
    each = {stage: shares[stage]["bytes"] / shares[stage]["cells"] for stage in shares}
    weights = 4 * (64 * 8 + 8 + 8 * 10 + 10)
    assert each["finetune"] - each["branch"] == 2 * weights


def test_measure_trains_the_branches_says_how_many_and_only_once(
    suite_file, store, tmp_path, capfd
):
    before = [cells(store, stage) for stage in ("finetune", "evaluate")]
    words = ("measure", suite_file(BARE), "--store", store, "--executor", "serial")
    words += ("--metric", "instability", "--metric-set", "steps=[0, 4]")
    code, out, err = seedscape(capfd, *words, "--metric-set", "points=3")
    assert (code, err) == (0, "")
    assert "4 branches of these runs, to be trained first, 24 steps in all" in out
    assert "2 readings: 0 stored before, 2 measured" in out
    assert len(cells(store, "branch")) == 4
    assert [cells(store, stage) for stage in ("finetune", "evaluate")] == before
    _, out, _ = seedscape(capfd, *words, "--metric-set", "points=3")
    assert "to be trained" not in out
    assert "2 readings: 2 stored before, 0 measured" in out
    _, out, _ = seedscape(capfd, *words, "--metric-set", "points=5")
    assert "to be trained" not in out  # other lines between the same copies
    assert "2 readings: 0 stored before, 2 measured" in out


def test_branches_wait_for_the_runs_that_they_belong_to(suite_file, store, capfd):
    words = ("measure", suite_file(SUITE), "--store", store, "--executor", "serial")
    code, out, err = seedscape(capfd, *words, "--set", "seeds.finetune=3")
    assert code == 1
    assert "4 branches of these runs" in out
    assert "3 readings: 0 stored before, 2 measured" in out
    assert "1 reading not measured for want of 1 training: " in err


def test_a_suite_is_run_resumed_told_of_and_kept(suite_file, store, capfd):
    path = suite_file(SUITE)
    results = harness.run(path, store=store, options=OPTIONS, report=False)
    assert not results.problems
    key = cells(store, "branch")[0]
    (store / "cells" / "branch" / key.partition("-")[2][:2] / key / "record.json").unlink()
    code, out, _ = seedscape(capfd, "explain", path, key, "--store", store)
    assert code == 0
    assert f"{key} is damaged" in out
    assert "branch, random, seeds 0/" in out
    assert "branch 1 from step" in out
    words = ("run", path, "--store", store, "--executor", "serial", "--no-report")
    assert seedscape(capfd, *words)[0] == 0
    _, out, _ = seedscape(capfd, "status", path, "--store", store)
    assert ["branch", "random", "-", "4", "0", "0", "0"] in [x.split() for x in out.splitlines()]
    code, out, _ = seedscape(capfd, "gc", "--store", store, "--dry-run")
    assert "nothing to delete" in out


def test_a_branch_that_failed_is_a_problem_that_says_which(suite_file, store):
    plan = planned(suite_file(SUITE))
    branch = next(c for c in plan.cells if c.stage == "branch" and c.work.branch.step == 4)
    when = datetime.now(UTC)
    Store(store).fail(
        Failure(key=branch.key, stage="branch", reason="no", log="", attempts=1, when=when)
    )
    results = load_results(plan, Store(store))
    (problem,) = (p for p in results.problems if p.state == "failed")
    assert (problem.stage, problem.seeds, problem.reason) == (
        "branch",
        "0/0, branch 1 from step 4",
        "no",
    )
    waiting = {p.reason for p in results.problems if p.stage == "measure"}
    assert "has not run: the branch cell it needs is failed" in waiting
