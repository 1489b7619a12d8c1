"""`fetch` gets what a suite needs from elsewhere, and without a network says what lacks."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.api.errors import HarnessError
from harness.cli import main
from harness.commands import fetch, run

PLUGIN = """
from dataclasses import replace
from pathlib import Path
from harness import Download, HarnessError, OutOfReach, hookimpl
from harness_datasets.digits import DIGITS
from harness_models.mlp import MLP

def lying_at(path):
    def fetch():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("fetched")
    return Download(path.name, path.exists, fetch)

def refused():
    raise HarnessError("the archive is gone")

def silent():
    raise OutOfReach("far", "nobody answers")

def data(settings, room):
    if Path("silent").exists():
        never = lambda: False
        return [Download(name, never, silent) for name in ("far@1", "far@2")]
    if Path("refused").exists():
        return [Download("gone@1", lambda: False, refused), lying_at(room.cache / "digits@2")]
    return [lying_at(room.cache / "digits@1"), lying_at(room.cache / "digits@2")]

def weights(settings, seeds, room):
    return [lying_at(room.cache / f"mlp-{settings.hidden[0]}")]

@hookimpl
def harness_datasets():
    return [replace(DIGITS, name="far-digits", downloads=data)]

@hookimpl
def harness_models():
    return [replace(MLP, name="far-mlp", downloads=weights)]
"""
SUITE = """\
id: away
version: "1"
title: Data from elsewhere
model: {far-mlp: {hidden: [4]}}
data: {dataset: far-digits, batch: 64, ood: {turned: {by: rotation}}}
inits: [random]
methods: [full: {epochs: 1}]
seeds: {pretrain: 1, finetune: 1}
scores: [accuracy]
"""


@pytest.fixture
def called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    Path("away.py").write_text(PLUGIN)
    Path("away.yaml").write_text(SUITE)

    def call(command, *options):
        arguments = ["away.yaml", "-p", "away.py", *options]
        result = CliRunner().invoke(
            command, arguments, standalone_mode=False, catch_exceptions=False
        )
        return result.return_value, result.output

    return call


def test_what_a_suite_needs_is_fetched_once(called):
    code, output = called(fetch.command)
    assert code == 0
    assert output.splitlines() == [
        "away.yaml: reading the suite",
        "fetching  digits@1 (1 of 3)",
        "fetching  digits@2 (2 of 3)",
        "fetching  mlp-4 (3 of 3)",
    ]
    assert Path("runs/cache/digits@2").read_text() == "fetched"
    lines = called(fetch.command)[1].splitlines()[1:]
    assert [line.split() for line in lines] == [
        ["here", name] for name in ("digits@1", "digits@2", "mlp-4")
    ]


def test_after_a_download_that_fails_the_others_go_on(called, capsys):
    Path("refused").touch()
    assert main(["fetch", "away.yaml", "-p", "away.py"]) == 2
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "away.yaml: reading the suite",
        "fetching  gone@1 (1 of 3)",
        "failed    the archive is gone",
        "fetching  digits@2 (2 of 3)",
        "fetching  mlp-4 (3 of 3)",
    ]
    assert told.err == (
        "error: not fetched: gone@1; run `seedscape fetch` again; what is here stays\n"
    )
    assert Path("runs/cache/mlp-4").exists()


def test_where_nobody_answers_it_is_asked_once(called, capsys):
    Path("silent").touch()
    assert main(["fetch", "away.yaml", "-p", "away.py"]) == 2
    told = capsys.readouterr()
    assert told.out.count("far is not here, and nobody answers") == 1
    assert "not fetched: far@1, far@2, mlp-4; run" in told.err


@pytest.mark.parametrize("command", [fetch.command, run.command])
def test_offline_fails_at_once_with_the_list_of_what_is_missing(called, command):
    called(fetch.command)
    Path("runs/cache/digits@2").unlink()
    Path("runs/cache/mlp-4").unlink()
    missing = "no network may be used: digits@2, mlp-4; `seedscape fetch` gets it"
    with pytest.raises(HarnessError, match=missing):
        called(command, "--offline")
    assert not list(Path("runs").glob("finetune*"))


def test_where_the_hub_is_offline_so_is_a_run(called, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HarnessError, match="no network may be used: digits@1, digits@2, mlp-4"):
        called(run.command)


def test_who_fetches_while_the_hub_is_offline_is_told_of_the_variable(called, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in called(fetch.command)[1]
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert "HF_HUB_OFFLINE" not in called(fetch.command)[1]


def test_with_everything_here_offline_is_as_good_as_online(called):
    called(fetch.command)
    assert called(fetch.command, "--offline")[0] == 0
    options = ["--executor", "serial", "--no-report", "--offline"]
    assert called(run.command, *options)[0] == 0
    for file in Path("runs/cache").iterdir():
        if file.is_file():
            file.unlink()
    assert called(run.command, *options)[0] == 0  # nothing is left to do: nothing is needed


def test_a_suite_of_what_is_here_needs_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    result = CliRunner().invoke(
        fetch.command,
        ["quick", "--store", str(tmp_path)],
        standalone_mode=False,
        catch_exceptions=False,
    )
    assert result.output == "quick: reading the suite\nquick needs nothing from elsewhere\n"
