"""What lies elsewhere and cannot be had: all of it is told at once, after what is wrong itself."""

import pickle
import shutil
from pathlib import Path

import pytest

from harness.api.errors import OutOfReach
from harness.cli import main
from harness.suite import SuiteError, open_suite

PLUGIN = """
from dataclasses import replace
from pathlib import Path
from harness import Download, OutOfReach, Pretrained, Source, hookimpl
from harness_datasets.digits import DIGITS
from harness_models.mlp import MLP

def asked(what):
    with Path("asked").open("a") as file:
        file.write(what + " ")

def lying_at(name, room):
    return Download(name, (room.cache / name).exists, lambda: None)

def data(settings, room):
    return [lying_at("digits", room)]

def weights(settings, seeds, room):
    named = [f"{settings.hidden[0]}-seed-{seed}" for seed in seeds]
    return [lying_at(name, room) for name in (f"{settings.hidden[0]}-config", *named)]

def fingerprint(settings):
    name = f"{settings.hidden[0]}-config"
    asked(name)
    if not (Path("runs/cache") / name).exists():
        raise OutOfReach(name, "nobody answers")
    return "abc"

def source(settings, seed):
    asked(f"seed-{seed}")
    name = f"{settings.hidden[0]}-seed-{seed}"
    if not (Path("runs/cache") / name).exists():
        raise OutOfReach(name, "nobody answers")
    return Source(name, name)

@hookimpl
def harness_datasets():
    return [replace(DIGITS, name="far-digits", downloads=data)]

@hookimpl
def harness_models():
    brought = Pretrained(source=source, load=lambda settings, name, room: {})
    offer = replace(MLP, name="far", fingerprint=fingerprint, pretrained=brought)
    return [replace(offer, downloads=weights)]
"""
LINES = {
    "id": "away",
    "version": '"1"',
    "plugins": "[./away.py]",
    "models": "[far: {hidden: [4]}]",
    "data": "{dataset: far-digits, batch: 64, ood: {turned: {by: rotation}}}",
    "inits": "[pretrained]",
    "methods": "[full: {epochs: 1}]",
    "seeds": "{pretrain: 2, finetune: 1}",
    "scores": "[accuracy]",
}


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs/cache").mkdir(parents=True)
    Path("away.py").write_text(PLUGIN)

    def open_it(*here, **changes):
        Path("asked").unlink(missing_ok=True)
        for name in here:
            (Path("runs/cache") / name).touch()
        lines = {**LINES, **changes}
        Path("away.yaml").write_text("".join(f"{key}: {lines[key]}\n" for key in lines))
        return open_suite("./away.yaml")

    return open_it


def told(opened, *here, **changes):
    with pytest.raises(SuiteError) as raised:
        opened(*here, **changes)
    return raised.value


def test_one_line_has_everything_that_is_missing(opened):
    assert str(told(opened)) == (
        "not here, and nobody answers: digits, 4-config, 4-seed-0, 4-seed-1; "
        "`seedscape fetch` gets it where there is a network"
    )
    assert "digits, 4-seed-1;" in str(told(opened, "4-config", "4-seed-0"))


def test_where_nobody_answers_nobody_is_asked_twice(opened):
    told(opened, models="[far: {hidden: {sweep: [[4], [5], [6]]}}]", seeds="{pretrain: 9}")
    assert Path("asked").read_text() == "4-config "
    told(opened, "4-config", seeds="{pretrain: 9, finetune: 1}")
    assert Path("asked").read_text() == "4-config seed-0 "


def test_many_seeds_are_counted_and_check_lists_them(opened, capsys):
    error = told(opened, "digits", seeds="{pretrain: 9, finetune: 1}")
    assert "4-config, 4-seed-0, 4-seed-1, 4-seed-2 and 6 more; `seedscape check` lists" in str(
        error
    )
    assert main(["check", "./away.yaml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert (
        "away.yaml:4:10: 4-seed-8 is not here, and nobody answers; `seedscape fetch`" in lines[-1]
    )


def test_what_is_wrong_in_the_suite_itself_comes_first(opened):
    error = told(opened, primary="{score: acuracy}")
    assert "unknown score 'acuracy'" in str(error) and "(and 4 more: see" in str(error)
    assert [type(each) is OutOfReach for each in error.problems] == [False] + [True] * 4


def test_with_everything_here_the_suite_opens(opened):
    opened("digits", "4-config", "4-seed-0", "4-seed-1")
    shutil.rmtree("runs")
    assert "4-config" in str(told(opened))


def test_a_trial_wants_the_weights_of_its_own_seeds(opened):
    opened("digits", "4-config", "4-seed-0", "4-seed-1")
    told(opened, seeds="{pretrain: 9, finetune: 1}")
    assert open_suite("./away.yaml", smoke=True)[0].seeds.pretrain == (0, 1)


def test_the_line_survives_the_way_out_of_a_process(opened):
    error = told(opened)
    again = pickle.loads(pickle.dumps(error))  # as a pool of workers does
    assert str(again) == str(error) and len(again.problems) == 4
    one = again.problems[0]
    assert (one.what, one.why) == ("digits", "nobody answers")
