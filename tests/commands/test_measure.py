"""`seedscape measure`: metrics of finished runs, without training."""

import json
import shutil

import pytest

import harness
from harness.cli import main

SUITE = """
id: tiny
version: "1"
model: {mlp: {hidden: [8]}}
pretrain: {data: {dataset: digits}, method: {full: {steps: 3}}}
data: {dataset: digits, batch: 16, ood: {noise: {by: {noise: {sd: 0.3}}}}}
inits: [pretrained]
methods: [{full: {steps: 3}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
"""


def seedscape(capfd, *words):
    code = main([str(word) for word in words])
    out, err = capfd.readouterr()
    return code, out, err


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store with the finished suite, for copies."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "suite.yaml").write_text(SUITE)
    options = harness.RunOptions(executor="serial", display="none")
    harness.run(str(folder / "suite.yaml"), store=folder / "runs", options=options, report=False)
    return folder / "runs"


@pytest.fixture
def trained(finished, tmp_path, suite_file):
    """The words that measure a copy of the finished suite, in `runs`."""
    shutil.copytree(finished, tmp_path / "runs")
    store = tmp_path / "runs"
    return ("measure", suite_file(SUITE), "--store", store, "--executor", "serial")


def cells(store, stage):
    return sorted(path.parent.name for path in store.glob(f"cells/{stage}/*/*/record.json"))


def test_parts_of_a_reading_are_made_on_the_way_and_not_counted(trained, tmp_path, capfd):
    store = tmp_path / "runs"
    chosen = ("--pairs", 2, "--splits", "test")
    plane = ("--metric", "plane", "--metric-set", "points=3", "--metric-set", "examples=20")
    code, out, err = seedscape(capfd, *trained, *plane, "--metric-set", "rows=1", *chosen)
    assert (code, err) == (0, "")
    assert "2 readings: 0 stored before, 2 measured" in out
    assert "gain-error" in out
    assert len(cells(store, "part")) == 6
    code, out, _ = seedscape(capfd, *trained, *plane, *chosen)  # in one piece: the same readings
    assert code == 0
    assert "2 readings: 2 stored before, 0 measured" in out


def test_measure_adds_readings_and_trains_nothing(trained, tmp_path, capfd):
    store, table = tmp_path / "runs", tmp_path / "readings.json"
    before = [cells(store, stage) for stage in ("pretrain", "finetune", "evaluate")]
    plan = (store / "suites" / "tiny-1" / "plan.json").read_text()
    barrier = ("--metric", "barrier", "--metric-set", "points=3", "--pairs", 2, "--splits", "noise")
    code, out, err = seedscape(capfd, *trained, *barrier, "--out", table)
    assert (code, err) == (0, "")
    assert "2 readings: 0 stored before, 2 measured" in out
    assert "lerp-loss" in out
    assert "lerp-loss-alpha" not in out  # a detail
    assert "passes over one example" in out
    rows = json.loads(table.read_text())
    assert {row["split"] for row in rows} == {"noise"}
    assert len({row["subject"] for row in rows}) == 2
    assert [cells(store, stage) for stage in ("pretrain", "finetune", "evaluate")] == before
    assert (store / "suites" / "tiny-1" / "plan.json").read_text() == plan
    code, again, _ = seedscape(capfd, *trained, *barrier)
    assert code == 0
    assert "2 readings: 2 stored before, 0 measured" in again


def test_the_line_that_measure_prints_makes_a_suite_show_the_readings(
    trained, suite_file, tmp_path, capfd
):
    store = tmp_path / "runs"
    setting = ("--metric-set", "points=3", "--pairs", "within-pretrain-seed", "--splits", "test")
    _, out, _ = seedscape(capfd, *trained, "--metric", "barrier", *setting)
    line = out.splitlines()[-1]
    assert out.splitlines()[-2] == "to have these in reports, add to `metrics:` of the suite:"
    more = suite_file(f"{SUITE}metrics:\n{line}\n", "more.yaml")
    readings = harness.load(str(more), store=store).readings
    assert set(readings["state"]) == {"ok"}
    assert set(readings["pair_kind"]) == {"same-pretrain-seed"}


def test_measure_without_a_name_reads_the_metrics_of_the_suite(trained, capfd):
    code, _, err = seedscape(capfd, *trained)
    assert (code, err) == (2, "error: suite tiny has no metrics; name one with --metric\n")
    code, out, err = seedscape(capfd, *trained, "--set", "metrics=[id-score, norms]")
    assert (code, err) == (0, "")
    assert "8 readings: 0 stored before, 8 measured" in out
    assert "to have these in reports" not in out


def test_runs_that_are_missing_or_lack_their_start_are_counted_and_left_alone(
    trained, tmp_path, capfd
):
    store = tmp_path / "runs"
    words = (*trained, "--metric", "id-score")
    code, out, err = seedscape(capfd, *words, "--set", "seeds.finetune=3")
    assert code == 1
    assert "6 readings: 0 stored before, 4 measured" in out
    assert "2 readings not measured for want of 2 trainings: `seedscape run " in err
    first, *_ = store.glob("cells/pretrain/*/*/weights.safetensors")
    first.unlink()
    code, out, err = seedscape(capfd, *words, "--metric", "norms")
    assert code == 1
    assert "8 readings: 4 stored before, 2 measured" in out
    assert "2 readings not measured for want of 1 training: " in err


def test_nothing_is_measured_in_an_empty_store(suite_file, tmp_path, capfd):
    words = ("measure", suite_file(SUITE), "--store", tmp_path / "runs", "--metric", "norms")
    code, out, err = seedscape(capfd, *words)
    assert code == 1
    assert "4 readings: 0 stored before, 0 measured" in out
    assert "to have these in reports" not in out
    assert "4 readings not measured for want of 6 trainings" in err


def test_a_metric_that_fails_is_told_on_one_line(trained, tmp_path, capfd):
    (tmp_path / "sulky.py").write_text(SULKY)
    code, _, err = seedscape(capfd, *trained, "-p", tmp_path / "sulky.py", "--metric", "sulky")
    assert code == 1
    assert "not today" in err
    assert all(line.startswith("failed: measure-") for line in err.splitlines())


def test_a_mean_over_numbers_that_are_not_finite_is_told_from_one_that_is_not_there(
    trained, tmp_path, capfd
):
    (tmp_path / "lost.py").write_text(
        SULKY.replace("sulky", "lost")
        .replace(
            'raise ValueError("not today")',
            'return Reading(values=(Value(name="x", value=float("nan")),))',
        )
        .replace("import Metric", "import Metric, Reading, Value")
    )
    code, out, _ = seedscape(capfd, *trained, "-p", tmp_path / "lost.py", "--metric", "lost")
    assert code == 0
    assert "4 not finite" in out


SULKY = """
from harness import Metric, hookimpl

def measure(settings, probe):
    raise ValueError("not today")

@hookimpl
def harness_metrics():
    yield Metric(
        name="sulky", about="", source="", measure=measure, of="point", access="train",
        direction="depends",
    )
"""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--metric", "barier"], "--metric: there is no metric 'barier'; did you mean 'barrier'?"),
        (["--metric", "barrier", "--metric-set", "pints=5"], "--metric-set: unknown key 'pints'"),
        (["--metric", "barrier", "--metric-set", "points"], "'points' is no setting and value"),
        (["--metric", "barrier", "--pairs", "some"], "--pairs: pairs must be all, within-"),
        (["--metric", "norms", "--pairs", "3"], "--pairs: the metric 'norms' is of a point"),
        (["--metric", "norms", "--splits", "tets"], "--splits: unknown split 'tets'"),
        (["--metric", "norms", "--metric", "barrier", "--pairs", "3"], "--pairs: is for one"),
        (["--metric-set", "points=3"], "--metric-set: is for one metric; give one --metric"),
        (["--metric", "norms", "--out", "a.doc"], "does not say which format; end it with one of"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(suite_file, tmp_path, capfd, words, complaint):
    store = tmp_path / "runs"
    code, _, err = seedscape(capfd, "measure", suite_file(SUITE), "--store", store, *words)
    assert code == 2
    assert complaint in err
    assert err.count("\n") == 1
    assert not store.exists()


def test_a_file_that_is_there_is_not_overwritten(suite_file, tmp_path, capfd):
    out = tmp_path / "a.csv"
    out.write_text("mine")
    words = ("measure", suite_file(SUITE), "--store", tmp_path / "runs", "--metric", "norms")
    code, _, err = seedscape(capfd, *words, "--out", out)
    assert (code, out.read_text()) == (2, "mine")
    assert "--force" in err
