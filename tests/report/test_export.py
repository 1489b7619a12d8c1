"""Frames as files of other programs."""

import json
import math

import pandas as pd
import pytest

from harness.api.errors import HarnessError
from harness.report.export import as_text, write_frame

FRAME = pd.DataFrame(
    {
        "split": ["a_b & 50 %", "<x>"],
        "seed": pd.Series([1, None], dtype="Int64"),
        "value": [0.1 + 0.2, math.nan],
        "height": [math.inf, 2.0],
    }
)


def test_csv_and_parquet_come_back_as_they_went(tmp_path):
    write_frame(FRAME, tmp_path / "x.csv", "csv")
    write_frame(FRAME, tmp_path / "deep" / "x.parquet", "parquet")

    assert pd.read_csv(tmp_path / "x.csv")["value"].iloc[0] == 0.1 + 0.2
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "deep" / "x.parquet"), FRAME, check_dtype=False
    )


def test_json_is_strict_and_exact():
    rows = json.loads(as_text(FRAME, "json"), parse_constant=pytest.fail)

    assert rows[0] == {"split": "a_b & 50 %", "seed": 1, "value": 0.1 + 0.2, "height": "inf"}
    assert rows[1] == {"split": "<x>", "seed": None, "value": None, "height": 2.0}


def test_latex_is_escaped_and_aligned():
    lines = as_text(FRAME, "latex").splitlines()

    assert lines[0] == r"\begin{tabular}{lrrr}"
    assert r"a\_b \& 50 \% & 1 & 0.300 & inf \\" in lines
    assert r"\textless{}x\textgreater{} & \textendash{} & \textendash{} & 2.00 \\" in lines


def test_a_label_is_no_hole_and_no_latex_command():
    frame = pd.DataFrame({"procedure": ["nan", "[2em]"]})

    assert json.loads(as_text(frame, "json"))[0] == {"procedure": "nan"}
    assert as_text(frame, "latex").splitlines()[4:6] == [r"nan \\", r"{[}2em] \\"]


def test_an_existing_file_is_kept_unless_forced(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("mine")

    with pytest.raises(HarnessError, match=r"exists; add --force"):
        write_frame(FRAME, path, "csv")
    assert path.read_text() == "mine"

    write_frame(FRAME, path, "csv", force=True)
    assert path.read_text().startswith("split,seed")


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(HarnessError, match="cannot write"):
        write_frame(FRAME, tmp_path / "file" / "x.csv", "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
