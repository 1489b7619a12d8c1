"""Watchers are opened by name alone, are told of cells, and spoil nothing."""

import subprocess
import sys

import pytest
from comparison_scene import SUITE, fill, write_suite

from harness import HarnessError, RunOptions
from harness.cli import main
from harness.plan import expand
from harness.plug import discover
from harness.run.watching import Watching
from harness.store import Store
from harness.suite import open_suite

PLUGIN = """
from pathlib import Path

from harness import Settings, Watcher, hookimpl, setting


class Where(Settings):
    file: str = setting("told.txt", "where it is written down")
    fail: str = setting("", "the call that raises")


class Watch:
    def __init__(self, settings, room):
        self.settings, self.room = settings, room
        self.say("open", room.plan.suite_id)

    def say(self, what, *words):
        with Path(self.settings.file).open("a") as file:
            print(what, *words, file=file)
        if self.settings.fail == what:
            raise OSError(f"no answer to {what}")

    def started(self, cell):
        self.say("started", cell.stage)

    def finished(self, cell, record):
        self.say("finished", cell.stage, record.outcome)

    def close(self, *, interrupted):
        self.say("close", interrupted, len(list(self.room.finished())))


@hookimpl
def harness_watchers():
    return [Watcher(name="notes", about="Writes it down.", settings=Where, open=Watch)]
"""
SMALL = SUITE.replace("pretrain: 6, finetune: 2", "pretrain: 1, finetune: 1")


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.py").write_text(PLUGIN)
    return write_suite(tmp_path, SMALL.replace("model:", "plugins: [./notes.py]\nmodel:"))


def run(suite, *words):
    return main(["run", suite, "--executor", "serial", "--no-report", "--smoke", *words])


def test_a_watcher_that_is_named_is_told_of_every_cell_and_of_the_end(suite, tmp_path, capfd):
    assert run(suite, "--watch", "notes") == 0

    told = (tmp_path / "told.txt").read_text().splitlines()
    assert told[:3] == ["open tiny", "started finetune", "finished finetune ok"]
    assert told.count("started evaluate") == told.count("finished evaluate ok") == 6
    assert told[-1] == "close False 8"


def test_nobody_is_told_unless_asked_for_and_the_environment_can_ask(suite, tmp_path, monkeypatch):
    assert run(suite) == 0
    assert not (tmp_path / "told.txt").exists()

    monkeypatch.setenv("SEEDSCAPE_WATCH", "notes")
    assert run(suite) == 0
    assert (tmp_path / "told.txt").read_text() == "open tiny\nclose False 8\n"


def test_a_watcher_does_not_enter_the_identity_of_cells(suite, capfd):
    assert run(suite, "--watch", "notes") == 0
    capfd.readouterr()

    assert run(suite) == 0
    assert "0 computed, 8 reused" in capfd.readouterr().out


@pytest.mark.parametrize("call", ["open", "started", "finished", "close"])
def test_a_watcher_that_fails_is_one_line_and_takes_no_cell_down(suite, tmp_path, capfd, call):
    assert run(suite, "--watch", f"{{notes: {{fail: {call}}}}}") == 0

    out = capfd.readouterr().out
    (line,) = [line for line in out.splitlines() if "watches no more" in line]
    assert line.startswith(f"watcher notes watches no more: OSError: no answer to {call} (notes.py")
    assert "8 computed" in out
    told = (tmp_path / "told.txt").read_text().splitlines()
    assert told[-1].split()[0] == call  # nothing is told after that


def test_a_watcher_that_does_not_exist_or_is_set_wrongly_stops_the_run_before_it_starts(
    suite, capfd, tmp_path
):
    assert run(suite, "--watch", "note") == 2
    assert "there is no watcher 'note'; did you mean 'notes'?" in capfd.readouterr().err
    assert run(suite, "--watch", "{notes: {files: x}}") == 2
    assert "watcher 'notes' does not accept its settings: files" in capfd.readouterr().err
    assert run(suite, "--watch", "{notes") == 2
    assert "--watch: cannot read '{notes'" in capfd.readouterr().err
    assert not list((tmp_path / "runs").glob("cells/*"))


def test_one_watcher_that_fails_leaves_the_others_watching(suite, tmp_path):
    checked, catalogue = open_suite(suite)
    plan = expand(checked, catalogue)
    (tmp_path / "more.py").write_text(PLUGIN.replace('name="notes"', 'name="more"'))
    catalogue = discover(extra=("notes.py", "more.py"))
    asked = {"notes": {"fail": "started"}, "more": {"file": "more.txt"}}
    watching = Watching(plan, Store("runs"), catalogue, asked)

    lines = [*watching.tell_started(plan.cells[0]), *watching.close(interrupted=True)]

    assert len(lines) == 1
    assert (tmp_path / "more.txt").read_text().splitlines()[-1] == "close True 0"


def test_a_watcher_sees_what_was_finished_before_it_was_asked_for(suite, tmp_path):
    plan = fill(suite, tmp_path / "runs")
    _, catalogue = open_suite(suite)
    watching = Watching(plan, Store("runs"), catalogue, RunOptions(watch={"notes": {}}).watch)

    assert watching.close(interrupted=False) == ()

    done = Store("runs").survey(plan.cells).done
    assert (tmp_path / "told.txt").read_text().splitlines()[-1] == f"close False {len(done)}"
    assert len(done) > 4


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_says_how_to_install_it(suite, monkeypatch, name):
    checked, catalogue = open_suite(suite)
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(HarnessError, match=rf"watcher {name}: cannot be used.*seedscape\[{name}\]"):
        Watching(expand(checked, catalogue), Store("runs"), catalogue, {name: {}})


def test_trackers_are_not_imported_unless_asked_for(suite):
    program = (
        "import sys; from harness.cli import main;"
        f"code = main(['run', {suite!r}, '--executor', 'serial', '--no-report', '--smoke']);"
        "sys.exit(code or len({'mlflow', 'wandb'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
