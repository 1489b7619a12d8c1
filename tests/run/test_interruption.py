"""The command as a process: killed, interrupted, twice at a time, without a place to write."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.plan import expand
from harness.store import Store
from harness.suite import open_suite

SUITE = """
id: tiny
version: "1"
model: {mlp: {hidden: [8]}}
pretrain:
  data: {dataset: digits, batch: 16}
  method: {full: {steps: 200}}
data:
  dataset: digits
  batch: 16
  ood:
    noise: {by: {noise: {sd: 0.3}}}
inits: [pretrained, random]
methods: [{full: {steps: 200}}]
seeds: {pretrain: 2, finetune: 3}
scores: [accuracy]
metrics:
  - {barrier: {points: 3}, pairs: 4, splits: [test]}
  - {plane: {points: 5, rows: 1}, pairs: 1, splits: [test]}
"""


def command(path, store, *more):
    head = [sys.executable, "-m", "harness.cli", "run", str(path), "--store", str(store)]
    return [*head, "--no-report", "--workers", "2", "--device", "cpu", "--pack", "1", *more]


def start(path, store, *more):
    return subprocess.Popen(
        command(path, store, *more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def planned(path):
    suite, catalogue = open_suite(str(path))
    return expand(suite, catalogue).cells


def finished(store):
    return {folder.name for folder in (Path(store) / "cells").glob("*/*/*")}


def results(path, store):
    """All that a run has computed, without what the clock says."""
    cells, place = planned(path), Store(store)
    found = {}
    for cell in cells:
        record = place.read(cell.key)
        result = record.result.model_dump()
        result.pop("cost", None)
        files = {name: entry.sha256 for name, entry in record.files.items()}
        found[cell.key] = (record.outcome, result, files)
    return found


def family(process):
    return psutil.Process(process.pid).children(recursive=True)


def wait_for_cells(store, count, process):
    deadline = time.monotonic() + 120
    while len(finished(store)) < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(finished(store)) >= count


@pytest.mark.slow
def test_killed_at_random_moments_a_run_goes_on_and_ends_as_if_nothing_had_happened(
    suite_file, tmp_path
):
    path = suite_file(SUITE)
    whole = start(path, tmp_path / "whole")
    output, _ = whole.communicate(timeout=300)
    assert whole.returncode == 0, output
    draws = random.Random(20)  # moments, no secrets
    kept = {}
    for moment in sorted(draws.sample(range(1, 68), 5)):
        process = start(path, tmp_path / "torn")
        wait_for_cells(tmp_path / "torn", moment, process)
        time.sleep(draws.random() * 0.1)
        workers = family(process) if process.poll() is None else []
        process.kill()
        process.wait()
        process.stdout.close()
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert alive == []
        now = {key: _stamp(tmp_path / "torn", key) for key in finished(tmp_path / "torn")}
        assert kept.items() <= now.items(), "something finished was computed again"
        kept = now
    last = start(path, tmp_path / "torn")
    output, _ = last.communicate(timeout=300)
    assert last.returncode == 0, output
    assert kept.items() <= {k: _stamp(tmp_path / "torn", k) for k in kept}.items()
    assert results(path, tmp_path / "torn") == results(path, tmp_path / "whole")


def _stamp(store, key):
    stage, _, digest = key.partition("-")
    return (Path(store) / "cells" / stage / digest[:2] / key / "record.json").stat().st_mtime_ns


@pytest.mark.slow
def test_ctrl_c_ends_a_run_cleanly_keeps_what_is_finished_and_says_how_to_go_on(
    suite_file, tmp_path
):
    path = suite_file(SUITE)
    process = start(path, tmp_path / "runs")
    wait_for_cells(tmp_path / "runs", 2, process)
    workers = family(process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 130, output
    assert "run the same command again to go on" in output
    assert "Traceback" not in output
    assert not any(worker.is_running() for worker in workers)
    assert list((tmp_path / "runs" / "unfinished").iterdir()) == []
    kept = finished(tmp_path / "runs")
    again = start(path, tmp_path / "runs")
    output, _ = again.communicate(timeout=300)
    assert again.returncode == 0, output
    assert f"{len(kept)} reused" in output


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_the_workers_too_and_changes_nothing(suite_file, tmp_path):
    path = suite_file(SUITE)
    process = subprocess.Popen(
        command(path, tmp_path / "runs"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    wait_for_cells(tmp_path / "runs", 1, process)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 130, output
    assert "Traceback" not in output


@pytest.mark.slow
def test_two_runs_on_one_store_share_the_work(suite_file, tmp_path):
    path = suite_file(SUITE)
    both = [start(path, tmp_path / "runs") for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    journal = (tmp_path / "runs" / "suites" / "tiny-1" / "journal.jsonl").read_text()
    cells = planned(path)
    assert journal.count('"event": "finished"') == len(cells)
    assert finished(tmp_path / "runs") == {cell.key for cell in cells}


def test_a_store_that_cannot_be_written_is_one_line_and_exit_code_2(suite_file, tmp_path):
    path = suite_file(SUITE)
    (tmp_path / "file").write_text("in the way")
    process = start(path, tmp_path / "file" / "runs")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert [line for line in output.splitlines() if line.startswith("error: ")] == [
        output.splitlines()[-1]
    ]
    assert str(tmp_path / "file") in output
    assert "Traceback" not in output


FINISHED = """
import sys
from harness.cli import main
code = main({arguments!r})
heavy = {{"torch", "pandas", "evaluate", "sklearn", "plotly", "pyarrow"}} & set(sys.modules)
sys.exit(code or (f"imported {{sorted(heavy)}}" if heavy else 0))
"""


@pytest.mark.slow
def test_a_finished_suite_starts_no_worker_and_imports_nothing_heavy(suite_file, tmp_path):
    path = suite_file(SUITE)
    first = start(path, tmp_path / "runs")
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output
    arguments = command(path, tmp_path / "runs")[3:]
    second = subprocess.run(
        [sys.executable, "-c", FINISHED.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 0, second.stderr
    assert "0 computed" in second.stdout


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_a_full_disk_ends_the_run_with_one_line_and_leaves_nothing_half_written(
    suite_file, tmp_path, executor
):
    path = suite_file(SUITE.replace("[8]", "[800]").replace("200", "3"))
    words = command(path, tmp_path / "runs", "--executor", executor)
    limited = f"ulimit -f 60; exec {' '.join(words)}"  # kilobytes; weights take more
    done = subprocess.run(
        ["bash", "-c", limited], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    assert "weights.safetensors grew larger than a file may be here" in line
    assert not list((tmp_path / "runs").glob("unfinished/*"))
    assert not list((tmp_path / "runs").glob("locks/*"))
