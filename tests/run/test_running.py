"""A tiny suite for real: resumed, damaged, failing, bit-equal, shared."""

import os
from pathlib import Path

import pytest

import harness
from harness.plan import expand
from harness.run.execute import execute
from harness.run.journal import read_journal
from harness.run.options import RunOptions
from harness.store import Store
from harness.store.paths import cell_folder
from harness.suite import open_suite

TINY = """
id: tiny
version: "1"
model: {mlp: {hidden: [8]}}
pretrain:
  data: {dataset: digits, batch: 16}
  method: {full: {steps: 4}}
data:
  dataset: digits
  batch: 16
  ood:
    noise: {by: {noise: {sd: 0.3}}}
inits: [pretrained, random]
methods: [{full: {steps: 3}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
"""

SCRATCH = """
id: scratch
version: "1"
model: {mlp: {hidden: [8]}}
data: {dataset: digits, batch: 16}
inits: [random]
methods: [{full: {steps: 3}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
"""

BRITTLE = '''
"""A model that cannot be built for one seed."""
from harness import Model, hookimpl
from harness.compute.streams import derive
from harness_models.mlp import MLP


def build(settings, room):
    if room.generator.initial_seed() == derive(1, "init"):
        raise ValueError("seed 1 is unlucky")
    return MLP.build(settings, room)


@hookimpl
def harness_models():
    yield Model(name="brittle", about="fails", settings=MLP.settings, build=build)
'''


def run(path, store, *overrides, executor="serial", pack=None, workers=0):
    suite, catalogue = open_suite(str(path), overrides=overrides)
    plan = expand(suite, catalogue)
    options = RunOptions(
        executor=executor, workers=workers, pack=pack, display="none", device="cpu"
    )
    return plan, execute(plan, suite, Store(store), catalogue, options)


def weights(plan, store):
    """Bytes of all final weights, by key."""
    trained = [cell.key for cell in plan.cells if cell.steps]
    return {key: Store(store).path(key, "weights.safetensors").read_bytes() for key in trained}


def test_a_finished_suite_has_nothing_to_do_and_a_new_seed_runs_only_what_is_new(
    suite_file, tmp_path
):
    path = suite_file(TINY)
    plan, first = run(path, tmp_path / "runs")
    assert first.computed == first.planned == len(plan.cells)
    assert (first.exit_code, first.complete, first.idle) == (0, True, False)
    _, second = run(path, tmp_path / "runs")
    assert (second.computed, second.reused, second.idle) == (0, len(plan.cells), True)
    wider, third = run(path, tmp_path / "runs", "seeds.finetune=3")
    assert third.computed == len(wider.cells) - len(plan.cells)
    assert third.reused == len(plan.cells)


def test_the_resolved_suite_and_the_journal_lie_beside_the_results(suite_file, tmp_path):
    _, outcome = run(suite_file(TINY), tmp_path / "runs", "data.batch=32")
    assert outcome.folder == tmp_path / "runs" / "suites" / "tiny-1"
    assert "batch: 32" in (outcome.folder / "suite.yaml").read_text()
    events = read_journal(outcome.folder)
    assert events[0]["event"] == "run"
    assert events[-1]["event"] == "ended"
    assert events[-1]["computed"] == outcome.computed


def test_a_record_says_what_made_the_number(suite_file, tmp_path):
    plan, _ = run(suite_file(TINY), tmp_path / "runs")
    cell = next(cell for cell in plan.cells if cell.stage == "finetune" and cell.parents)
    record = Store(tmp_path / "runs").read(cell.key)
    assert record.parents == list(cell.parents)
    assert record.settings["model"]["hidden"] == [8]
    assert record.settings["method"]["steps"] == 3
    assert record.settings["method"]["lr"] > 0  # a default, as it was
    offers = {name for plugin in record.plugins for name in plugin.offers}
    assert {"model:mlp", "method:full", "dataset:digits"} <= offers
    assert record.machine.packages["torch"]
    assert record.machine.threads == 1
    assert record.wall_seconds > 0
    assert record.peak_bytes > 10**6


def test_weights_are_bit_equal_on_serial_twice_and_in_another_order(suite_file, tmp_path):
    path = suite_file(TINY)
    plan, _ = run(path, tmp_path / "one")
    once = weights(plan, tmp_path / "one")
    run(path, tmp_path / "two")
    assert weights(plan, tmp_path / "two") == once
    run(path, tmp_path / "three", "seeds.pretrain=[1, 0]", "seeds.finetune=[1, 0]")
    assert weights(plan, tmp_path / "three") == once


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mlp: {hidden: [8]}", "cnn: {width: 4}"])
def test_weights_are_bit_equal_on_serial_and_on_processes(suite_file, tmp_path, model):
    path = suite_file(TINY.replace("mlp: {hidden: [8]}", model))
    plan, _ = run(path, tmp_path / "one")
    run(path, tmp_path / "two", executor="processes", workers=2, pack=1)
    assert weights(plan, tmp_path / "two") == weights(plan, tmp_path / "one")


def test_a_cell_that_fails_leaves_the_others_alone_and_sets_the_exit_code(suite_file, tmp_path):
    suite_file(BRITTLE, "brittle.py")
    path = suite_file(SCRATCH.replace("mlp", "brittle") + "plugins: [./brittle.py]\n")
    plan, outcome = run(path, tmp_path / "runs")
    reasons = {failure.reason for failure in outcome.failed.values()}
    assert reasons == {"ValueError: seed 1 is unlucky"}
    assert all("Traceback" in failure.log for failure in outcome.failed.values())
    stages = {cell.key: cell.stage for cell in plan.cells}
    assert {stages[key] for key in outcome.blocked} == {"evaluate"}
    assert outcome.computed + len(outcome.failed) + len(outcome.blocked) == len(plan.cells)
    assert outcome.computed > 0
    assert outcome.exit_code == 1


def test_a_plugin_that_calls_exit_fails_its_own_cell(suite_file, tmp_path):
    suite_file(BRITTLE.replace('ValueError("seed 1 is unlucky")', "SystemExit(0)"), "brittle.py")
    path = suite_file(SCRATCH.replace("mlp", "brittle") + "plugins: [./brittle.py]\n")
    _, outcome = run(path, tmp_path / "runs")
    reasons = {failure.reason for failure in outcome.failed.values()}
    assert reasons == {"RuntimeError: a plugin called sys.exit(0)"}
    assert outcome.computed > 0
    assert outcome.exit_code == 1


def test_one_seed_that_fails_does_not_spoil_its_pack(suite_file, tmp_path):
    suite_file(BRITTLE, "brittle.py")
    path = suite_file(SCRATCH.replace("mlp", "brittle") + "plugins: [./brittle.py]\n")
    _, apart = run(path, tmp_path / "apart", pack=1)
    _, packed = run(path, tmp_path / "packed", pack=4)
    assert set(packed.failed) == set(apart.failed)
    assert packed.computed == apart.computed


def test_code_that_is_edited_after_the_plan_was_made_stores_nothing_under_its_old_key(
    suite_file, tmp_path
):
    plugin = suite_file(BRITTLE.replace("derive(1", "derive(9"), "brittle.py")
    path = suite_file(SCRATCH.replace("mlp", "brittle") + "plugins: [./brittle.py]\n")
    suite, catalogue = open_suite(str(path))
    plan = expand(suite, catalogue)
    plugin.write_text(plugin.read_text() + "# edited\n")
    options = RunOptions(executor="serial", display="none")
    outcome = execute(plan, suite, Store(tmp_path / "runs"), catalogue, options)
    assert outcome.computed == 0
    [reason] = {failure.reason for failure in outcome.failed.values()}
    assert reason.startswith("the code of model 'brittle' was changed after the run had started")


@pytest.mark.parametrize("name", ["record.json", "weights.safetensors"])
@pytest.mark.parametrize("how", ["truncated", "flipped", "gone"])
def test_a_damaged_file_is_named_and_its_cell_computed_anew(suite_file, tmp_path, name, how):
    path = suite_file(SCRATCH)
    plan, _ = run(path, tmp_path / "runs", "seeds.pretrain=1", "seeds.finetune=1")
    before = weights(plan, tmp_path / "runs")
    victim = next(cell.key for cell in plan.cells if cell.stage == "finetune")
    file = cell_folder(tmp_path / "runs", victim) / name
    content = bytearray(file.read_bytes())
    if how == "truncated":
        file.write_bytes(content[: len(content) // 2])
    elif how == "flipped":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        file.unlink()
    _, outcome = run(path, tmp_path / "runs", "seeds.pretrain=1", "seeds.finetune=1")
    if (name, how) != ("record.json", "gone"):  # without a record there is no cell
        assert list(outcome.damaged) == [victim]
        assert any(name in line for line in outcome.lines())
    assert outcome.computed == 1
    assert weights(plan, tmp_path / "runs") == before


def test_a_parent_that_turns_out_damaged_is_thrown_away_and_made_anew_next_time(
    suite_file, tmp_path
):
    path = suite_file(TINY.replace("[8]", "[2000]"))  # too large to be hashed in every survey
    plan, _ = run(path, tmp_path / "runs", "seeds.pretrain=1", "seeds.finetune=1")
    victim = next(cell.key for cell in plan.cells if cell.stage == "pretrain")
    file = cell_folder(tmp_path / "runs", victim) / "weights.safetensors"
    status = file.stat()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # the disk did it, nobody wrote
    _, outcome = run(path, tmp_path / "runs", "seeds.pretrain=1", "seeds.finetune=2")
    assert outcome.exit_code == 1
    [failure] = outcome.failed.values()
    assert str(file) in failure.reason
    assert "run the suite again" in failure.reason
    _, again = run(path, tmp_path / "runs", "seeds.pretrain=1", "seeds.finetune=2")
    assert again.exit_code == 0


def test_new_scores_reuse_the_stored_predictions(suite_file, tmp_path):
    path = suite_file(TINY)
    plan, _ = run(path, tmp_path / "runs")
    more, outcome = run(path, tmp_path / "runs", "scores=[accuracy, mcc]")
    assert outcome.computed == sum(cell.stage == "evaluate" for cell in plan.cells)
    cell = next(cell for cell in more.cells if cell.stage == "evaluate")
    scored = Store(tmp_path / "runs").read(cell.key).result
    assert set(scored.scores) == {"accuracy", "mcc"}
    assert scored.predictions_from in {cell.key for cell in plan.cells}


def test_the_python_api_runs_and_opens_a_suite(suite_file, tmp_path):
    path, store = suite_file(TINY), tmp_path / "runs"
    options = harness.RunOptions(executor="serial", display="none")
    asked = {"overrides": {"seeds.pretrain": 1, "data.batch": 32}}
    ran = harness.run(path, store=store, report=False, options=options, **asked)
    opened = harness.load(path, store=store, **asked)
    assert len(ran.scores) == len(opened.scores) > 0
    assert opened.scores["value"].notna().all()
    assert opened.problems == ()


def test_an_executor_or_device_that_does_not_exist_is_told_before_anything_runs(
    suite_file, tmp_path
):
    path = suite_file(TINY)
    with pytest.raises(harness.HarnessError, match=r"no executor 'serail'.*did you mean 'serial'"):
        run(path, tmp_path / "runs", executor="serail")
    suite, catalogue = open_suite(str(path))
    plan = expand(suite, catalogue)
    with pytest.raises(harness.HarnessError, match="unknown device 'gpu'"):
        execute(plan, suite, Store(tmp_path / "runs"), catalogue, RunOptions(device="gpu"))
    assert not Path(tmp_path / "runs").exists()
