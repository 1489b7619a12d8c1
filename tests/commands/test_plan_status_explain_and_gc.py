"""The commands that look: plan, status, explain and gc, on results that are written by hand."""

import io
import json
import subprocess
import sys
from dataclasses import replace

import made_up
import pytest
from hand_written_results import fail, finish, plan_of, write_suite

from harness.cli import main
from harness.commands.explain import _what
from harness.plan import identity_of
from harness.store import Store, paths


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """The suite's name, in the folder that it lies in."""
    monkeypatch.chdir(tmp_path)
    return write_suite(tmp_path)


def test_a_plan_is_counted_by_stage_with_steps_and_what_is_done(suite, capsys):
    _, plan = plan_of(suite)
    finish(plan.cells[:3])

    assert main(["plan", suite]) == 0

    lines = capsys.readouterr().out.splitlines()
    table = [line.split() for line in lines]
    assert ["finetune", "random", "-", "4", "40", "3"] in table
    assert ["evaluate", "random", "-", "4", "-", "0"] in table
    assert ["measure", "random", "gap", "6", "-", "0"] in table
    assert "3 of 14 cells are done in runs; 11 to do" in lines
    assert "1 procedure, 2 pretrain seeds x 2 fine-tune seeds (crossed)" in "\n".join(lines)


def test_a_plan_as_json_lists_every_cell_with_its_parents(suite, capsys):
    _, plan = plan_of(suite)

    assert main(["plan", suite, "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert [cell["key"] for cell in told["cells"]] == [cell.key for cell in plan.cells]
    assert told["digest"] == plan.digest
    assert told["cells"][-1]["parents"] == list(plan.cells[-1].parents)


def test_a_cost_counts_parameters_and_says_what_the_time_is_known_from(suite, capsys):
    _, plan = plan_of(suite)
    finish(plan.cells[:2])

    assert main(["plan", suite, "--cost", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)["cost"]
    assert told["models"]["line"] == {
        "parameters": 6 * 4 + 4,
        "bytes": 4 * (6 * 4 + 4),
        "built_on": "torch's meta device",
    }
    trainings, evaluations, measures = told["shares"]
    assert trainings["seconds"] == 2 * 10 * 2.0 / 10  # 2 to do x 10 steps at 2 s / 10 steps
    assert trainings["basis"] == "2 finished trainings"
    assert evaluations["seconds"] > 0
    assert evaluations["basis"].startswith("a few steps timed here")
    assert measures["seconds"] is None
    assert told["cells_of_unknown_time"] == 6


def test_a_cost_is_shown_as_tables(suite, capsys):
    assert main(["plan", suite, "--cost"]) == 0

    shown = capsys.readouterr().out
    assert "a few steps timed here" in shown
    assert "6 cells of unknown time" in shown


def test_a_status_counts_and_fails_only_where_a_cell_failed(suite, capsys):
    _, plan = plan_of(suite)
    trainings = [cell for cell in plan.cells if cell.stage == "finetune"]
    finish(trainings[:2])
    assert main(["status", suite]) == 0
    capsys.readouterr()

    fail(trainings[2], "out of\nmemory")
    record = paths.cell_folder(Store("runs").root, trainings[0].key) / paths.RECORD
    record.write_bytes(record.read_bytes()[:-5])

    assert main(["status", suite]) == 1
    shown = capsys.readouterr().out
    assert ["finetune", "random", "-", "1", "1", "1", "1"] in [
        x.split() for x in shown.splitlines()
    ]
    assert f"failed: {trainings[2].key} (random, seeds 1/0): out of memory" in shown
    assert str(paths.failure_log(Store("runs").root, trainings[2].key)) in shown
    assert f"damaged, to be computed again: {record} is cut off" in shown
    assert "4 missing cells cannot run because of failed ones" in shown


def test_a_status_as_json_says_the_same(suite, capsys):
    _, plan = plan_of(suite)
    finish(plan.cells[:1])
    fail(plan.cells[1])

    assert main(["status", suite, "--json"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert (told["cells"], told["done"], told["waiting_for_failed"]) == (14, 1, 4)
    assert told["failed"][0]["reason"] == "out of memory"


def test_a_cell_that_is_done_says_when_and_how_long(suite, capsys):
    _, plan = plan_of(suite)
    finish(plan.cells[:1])

    assert main(["explain", suite, plan.cells[0].key[:20]]) == 0

    assert "is done: computed on 2026-01-02 03:04 in 2.0 s" in capsys.readouterr().out


def test_a_missing_cell_says_what_has_changed_since_the_nearest_was_computed(suite, capsys):
    _, before = plan_of(suite)
    finish(before.cells[:4])
    _, now = plan_of(suite, "model.line.width=8")

    code = main(["explain", suite, "--set", "model.line.width=8", now.cells[0].key])

    shown = capsys.readouterr().out
    assert code == 0
    assert f"nearest in the store is {before.cells[0].key}, which this plan does not need" in shown
    assert "width of the model: 8 here, the default there" in shown


def test_a_cell_waits_for_the_first_one_that_is_missing(suite, capsys):
    _, plan = plan_of(suite)
    evaluation = next(cell for cell in plan.cells if cell.stage == "evaluate")

    main(["explain", suite, evaluation.key])

    shown = capsys.readouterr().out
    assert f"it waits for {evaluation.parents[0]}, which is missing too" in shown
    assert "the store holds no finetune cell at all" in shown


def test_a_cell_that_waits_for_a_failed_one_gives_its_reason(suite, capsys):
    _, plan = plan_of(suite)
    fail(plan.cells[0])
    evaluation = next(c for c in plan.cells if c.stage == "evaluate")

    main(["explain", suite, evaluation.key])

    assert "which is failed: out of memory" in capsys.readouterr().out


def test_a_new_score_is_said_to_need_no_new_predictions(suite, capsys):
    _, plan = plan_of(suite)
    finish(cell for cell in plan.cells if cell.stage != "measure")
    more = "scores=[hits, misses]"
    _, now = plan_of(suite, more)
    evaluation = next(cell for cell in now.cells if cell.stage == "evaluate")

    assert main(["explain", suite, "--set", more, evaluation.key]) == 0

    assert "only the scores will be computed" in capsys.readouterr().out


def test_an_ambiguous_or_unknown_cell_is_refused(suite, capsys):
    assert main(["explain", suite, "finetune"]) == 2
    assert "4 cells have a key that starts with 'finetune'" in capsys.readouterr().err
    assert main(["explain", suite, "zzz"]) == 2
    assert "no cell of suite made-up" in capsys.readouterr().err
    _, other = plan_of(suite, "model.line.width=8")
    finish(other.cells[:1])
    assert main(["explain", suite, other.cells[0].key]) == 2
    assert f"does not ask for {other.cells[0].key}, which is in runs" in capsys.readouterr().err


def test_an_explanation_as_json_holds_the_identity(suite, capsys):
    _, plan = plan_of(suite)

    main(["explain", suite, plan.cells[0].key, "--json"])

    told = json.loads(capsys.readouterr().out)
    assert told["identity"] == identity_of(plan.cells[0])
    assert told["state"] == "missing"


def test_gc_deletes_what_no_suite_refers_to_after_asking(suite, capsys, monkeypatch):
    checked, plan = plan_of(suite)
    _, other = plan_of(suite, "model.line.width=8")
    finish(plan.cells[:2])
    finish(other.cells[:1])
    Store("runs").save_suite(plan, checked.text)

    assert main(["gc", "--dry-run"]) == 0
    assert "would delete 1 cell and 0 leftovers" in capsys.readouterr().out
    monkeypatch.setattr("click.confirm", lambda question: False)
    assert main(["gc"]) == 0
    assert "deleted nothing" in capsys.readouterr().out
    assert main(["gc", "--yes"]) == 0

    store = Store("runs")
    assert len(store.survey([*plan.cells, *other.cells]).done) == 2
    assert main(["gc"]) == 0
    assert "nothing to delete" in capsys.readouterr().out


def test_gc_that_nobody_answers_deletes_nothing(suite, capsys, monkeypatch):
    checked, plan = plan_of(suite)
    _, other = plan_of(suite, "model.line.width=8")
    finish(other.cells[:1])
    Store("runs").save_suite(plan, checked.text)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert main(["gc"]) == 2
    assert "nobody answered; say --yes" in capsys.readouterr().err
    assert len(Store("runs").survey(other.cells[:1]).done) == 1


def test_looking_imports_nothing_heavy(suite):
    code = (
        "import sys; from harness.cli import main; "
        "main(['plan', sys.argv[1]]); main(['status', sys.argv[1]]); main(['gc', '--dry-run']); "
        "heavy = {'torch', 'transformers', 'evaluate', 'datasets', 'sklearn', 'pandas', 'numpy'}; "
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, suite], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_a_store_elsewhere_than_on_disk_is_one_line_and_code_2(suite, capsys):
    assert main(["status", suite, "--store", "s3://bucket/runs"]) == 2

    assert "local folder" in capsys.readouterr().err


def test_a_metric_that_looks_at_no_split_is_explained_without_one():
    cell = next(c for c in made_up.plan(1, 2, splits=("test",)).cells if c.stage == "measure")
    assert "barrier on test" in _what(cell)
    assert _what(replace(cell, work=replace(cell.work, splits=()))).endswith(", barrier")
