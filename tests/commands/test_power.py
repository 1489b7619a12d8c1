"""`seedscape power`: what it prints, writes and refuses."""

import json

import pytest

from harness.cli import main


def test_components_by_hand_give_a_table_and_a_file(capsys, tmp_path):
    out = tmp_path / "plan.json"

    code = main(
        ["power", "--components", "0.05,0.01,0.03", "--width", "0.05", "--difference", "0.1",
         "--pretrain", "3,8,12", "--finetune", "1,4", "--out", str(out)]
    )  # fmt: skip

    told = capsys.readouterr().out
    assert code == 0
    assert "for a half-width of 0.0500: 8 \u00d7 4 seeds, 32 runs" in told
    assert "with 3 pretraining seeds no difference can reach p < 0.05" in told
    assert len(json.loads(out.read_text())["designs"]) == 6


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give either a SUITE or --components"),
        (["quick", "--components", "1,1,1"], "give either a SUITE or --components"),
        (["--components", "1"], "is not PRETRAIN,FINETUNE,REST"),
        (["--components", "1,-1,0"], "is not PRETRAIN,FINETUNE,REST"),
        (["--components", "0,0,0"], "nothing varies"),
        (["--components", "1,1,1", "--pretrain", "1"], "is no list of numbers from 2 on"),
        (["--components", "1,1,1", "--split", "test"], "need no procedure, split or score"),
        (["quick", "--paired"], "--against LABEL"),
        (["quick", "--store", "nowhere"], "run it first"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_one_line(arguments, told, capsys, tmp_path):
    store = ["--store", str(tmp_path)] if "nowhere" in arguments else []

    assert main(["power", *arguments[: 1 if store else None], *store]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_file_that_exists_is_not_overwritten(capsys, tmp_path):
    out = tmp_path / "plan.json"
    out.write_text("mine")

    assert main(["power", "--components", "1,1,1", "--out", str(out)]) == 2
    assert out.read_text() == "mine"
