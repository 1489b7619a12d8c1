"""The reporters parquet and csv: a table of every kind of record, whatever fields there are."""

import csv
import json

import made_up
import pandas as pd
import pyarrow.parquet
import pytest

from harness.api.findings import Findings
from harness.api.pictures import Picture
from harness.api.readings import Grid, Record
from harness_reporters import CSV, PARQUET
from harness_reporters.records import table_fields, tidy_tables


class Inner(Record):
    name: str
    height: float | None


class Outer(Record):
    split: str
    alone: Inner | None = None
    ends: tuple[float, float] | None = None
    several: tuple[Inner, ...] = ()
    facts: dict[str, float] | None = None


class Later(Findings):
    """Findings as a later version may have them."""

    outers: tuple[Outer, ...] = ()
    single: Outer | None = None


@pytest.fixture(scope="module")
def findings():
    return made_up.findings(made_up.plan(2, 2, splits=("test", "noise")))


def tables(found):
    return {table.name: table for table in tidy_tables(found)}


def test_every_field_of_records_is_a_table_that_pandas_opens_in_one_call(findings, tmp_path):
    paths = PARQUET.write(PARQUET.settings(), findings, tmp_path)

    frames = {path.stem: pd.read_parquet(path) for path in paths}
    filled = {name for name in table_fields() if getattr(findings, name)}
    assert filled <= frames.keys()
    assert {"runs", "spreads", "variance", "pairs", "points", "readings", "curves"} <= filled
    runs = frames["runs"]
    assert len(runs) == len(findings.runs)
    assert runs["value"].tolist() == [run.value for run in findings.runs]
    assert runs["diverged"].dtype == bool
    assert runs["pretrain_seed"].dtype == "int64"


def test_the_metadata_of_every_file_says_schema_version_and_provenance(findings, tmp_path):
    for path in PARQUET.write(PARQUET.settings(), findings, tmp_path):
        head = json.loads(pyarrow.parquet.read_schema(path).metadata[b"seedscape"])
        assert head["schema_version"] == findings.schema_version
        assert head["suite"] == "made-up"
        assert head["provenance"]["plan_digest"] == findings.provenance.plan_digest
        assert "runs" not in head


def test_an_interval_is_two_columns_that_are_numbers_also_where_all_are_empty(findings, tmp_path):
    PARQUET.write(PARQUET.settings(), findings, tmp_path)

    frame = pd.read_parquet(tmp_path / "parquet" / "variance.parquet")
    share = findings.variance[0]
    assert (frame["pretrain_range_low"][0], frame["pretrain_range_high"][0]) == share.pretrain_range
    assert frame["order_range_low"].isna().all()
    assert frame["order_range_low"].dtype == float


def test_lines_inside_curves_are_a_table_with_the_words_of_their_curve(findings, tmp_path):
    PARQUET.write(PARQUET.settings(), findings, tmp_path)

    frame = pd.read_parquet(tmp_path / "parquet" / "curves_lines.parquet")
    assert len(frame) == sum(len(curve.lines) for curve in findings.curves)
    first = findings.curves[0]
    assert frame["procedure"][0] == first.procedure
    assert list(frame["y"][0]) == list(first.lines[0].y)
    assert len(frame.groupby(["metric", "curve", "quantity", "split", "procedure"])) > 1


def test_a_field_that_does_not_exist_yet_comes_along(findings, monkeypatch):
    inner = Inner(name="a", height=1.5)
    outer = Outer(split="test", alone=inner, ends=(0.1, 0.2), several=(inner, inner))
    bare = Outer(split="noise", facts={"n": 3.0})
    later = Later(**findings.model_dump(), outers=(outer, bare), single=bare)
    monkeypatch.setattr("harness_reporters.records.Findings", Later)

    found = tables(later)

    rows = found["outers"].rows
    assert rows[0]["alone_name"] == "a"
    assert (rows[0]["ends_low"], rows[0]["ends_high"]) == (0.1, 0.2)
    assert (rows[1]["alone_name"], rows[1]["ends_low"]) == (None, None)
    assert json.loads(rows[1]["facts"]) == {"n": 3.0}
    assert [row["split"] for row in found["outers_several"].rows] == ["test", "test"]
    assert [row["split"] for row in found["single"].rows] == ["noise"]
    assert "single_several" not in found


def test_a_grid_inside_a_picture_is_columns_of_its_row(findings):
    grid = Grid(name="plane", split="test", x=[0, 1], y=[0, 1], z={"loss": [[1, 2], [3, 4]]})
    picture = Picture(procedure="random", metric="plane", pair_kind=None, runs=("0/0",), grid=grid)

    (row,) = tables(findings.model_copy(update={"pictures": (picture,)}))["pictures"].rows

    assert row["grid_name"] == "plane"
    assert json.loads(row["grid_z"]) == {"loss": [[1, 2], [3, 4]]}


def test_a_table_that_has_no_rows_any_more_leaves_no_old_file(findings, tmp_path):
    PARQUET.write(PARQUET.settings(), findings, tmp_path)
    PARQUET.write(PARQUET.settings(), findings.model_copy(update={"pairs": ()}), tmp_path)

    names = {path.name for path in (tmp_path / "parquet").iterdir()}
    assert "runs.parquet" in names
    assert "pairs.parquet" not in names
    assert not [name for name in names if name.startswith(".")]


def test_the_csv_report_has_the_same_tables_with_the_same_columns(findings, tmp_path):
    paths = CSV.write(CSV.settings(), findings, tmp_path)

    found = tables(findings)
    assert {path.stem for path in paths} == found.keys()
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        assert rows[0] == list(found[path.stem].columns)
        assert len(rows) == 1 + len(found[path.stem].rows)


def test_csv_tables_of_before_that_have_no_rows_now_are_deleted(findings, tmp_path):
    CSV.write(CSV.settings(), findings, tmp_path)
    assert (tmp_path / "csv" / "pairs.csv").exists()

    CSV.write(CSV.settings(), findings.model_copy(update={"pairs": ()}), tmp_path)

    assert not (tmp_path / "csv" / "pairs.csv").exists()
