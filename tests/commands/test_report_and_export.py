"""The commands report and export, on results that are written by hand."""

import csv
import json

import pytest
from hand_written_results import fail, finish, plan_of, write_suite

from harness.cli import main


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """The suite's name, in the folder that it lies in."""
    monkeypatch.chdir(tmp_path)
    return write_suite(tmp_path)


def test_a_finished_suite_is_reported_on_the_terminal_and_as_a_page(suite, capsys, tmp_path):
    _, plan = plan_of(suite)
    finish(plan.cells)

    assert main(["report", suite]) == 0

    out = capsys.readouterr().out
    assert f"{plan.suite_id} {plan.version}" in out
    (line,) = [line for line in out.splitlines() if line.startswith("report: ")]
    page = tmp_path / line.removeprefix("report: ")
    assert page.name == "report.html"
    assert page.is_relative_to(tmp_path / "runs" / "suites")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_several_forms_go_to_the_folder_that_is_asked_for(suite, capsys, tmp_path):
    _, plan = plan_of(suite)
    finish(plan.cells)

    assert main(["report", suite, "--format", "markdown, json", "--out", "there/deep"]) == 0

    folder = tmp_path / "there" / "deep"
    assert sorted(path.name for path in folder.iterdir()) == ["report.json", "report.md"]


def test_a_folder_of_many_files_is_one_line(suite, capsys):
    _, plan = plan_of(suite)
    finish(plan.cells)

    assert main(["report", suite, "--format", "csv,json", "--out", "there"]) == 0

    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("report: ")]
    assert len(told) == 2
    assert told[0].startswith("report: there/csv/ (")
    assert told[1] == "report: there/report.json"


def test_a_folder_that_cannot_be_made_is_chosen_elsewhere_with_the_option_that_chose_it(
    suite, capsys, tmp_path
):
    _, plan = plan_of(suite)
    finish(plan.cells)
    (tmp_path / "taken").write_text("")

    assert main(["report", suite, "--out", "taken/there"]) == 2

    (line,) = [each for each in capsys.readouterr().err.splitlines() if each.startswith("error:")]
    assert "taken is a file where a folder is needed" in line
    assert "--out" in line
    assert "--store" not in line


def test_a_failed_cell_gives_exit_code_1_and_the_report_all_the_same(suite, capsys, tmp_path):
    _, plan = plan_of(suite)
    finish(plan.cells[:4])
    fail(plan.cells[4])

    assert main(["report", suite, "--format", "json", "--out", "."]) == 1

    assert "Cells without a usable result" in capsys.readouterr().out
    told = json.loads((tmp_path / "report.json").read_text())
    assert [p["key"] for p in told["problems"] if p["state"] == "failed"] == [plan.cells[4].key]


def test_cells_that_have_not_run_are_no_failure(suite, capsys):
    _, plan = plan_of(suite)
    finish(plan.cells[:5])

    assert main(["report", suite, "--format", "markdown"]) == 0


def test_an_empty_store_has_nothing_to_report(suite, capsys):
    assert main(["report", suite]) == 2

    error = capsys.readouterr().err
    assert "the store runs holds nothing of" in error
    assert "run it first: seedscape run" in error


def test_no_form_at_all_is_an_error(suite, capsys):
    assert main(["report", suite, "--format", ","]) == 2
    assert "--format names no form" in capsys.readouterr().err


def test_an_unknown_form_is_an_error_before_anything_is_read(suite, capsys):
    assert main(["report", suite, "--format", "htm"]) == 2

    assert "there is no reporter 'htm'; did you mean 'html'?" in capsys.readouterr().err


BROKEN = """
from harness import Reporter, hookimpl

def write(settings, findings, folder):
    raise RuntimeError("no ink")

@hookimpl
def harness_reporters():
    return [Reporter(name="broken", about="Writes nothing.", write=write)]
"""


def test_a_reporter_that_fails_is_one_line_and_stops_no_other(suite, capsys, tmp_path):
    _, plan = plan_of(suite)
    finish(plan.cells)
    (tmp_path / "broken.py").write_text(BROKEN)
    words = ["-p", "broken.py", "--format", "broken,markdown", "--out", "there"]

    assert main(["report", suite, *words]) == 2

    out, err = capsys.readouterr()
    assert f"{plan.suite_id} {plan.version}" in out
    assert "report: there/report.md" in out
    assert err.startswith("error: the reporter 'broken' of ")
    assert err.endswith("broken.py failed: RuntimeError: no ink (broken.py:5)\n")


def test_a_run_whose_report_fails_shows_its_findings_and_tries_again(suite, capsys, tmp_path):
    _, plan = plan_of(suite)
    finish(plan.cells)
    (tmp_path / "broken.py").write_text(BROKEN)

    for _ in range(2):
        assert main(["run", suite, "-p", "broken.py", "--report", "broken"]) == 2

        out, err = capsys.readouterr()
        assert f"{plan.suite_id} {plan.version}" in out
        assert "failed: RuntimeError: no ink" in err


def test_scores_are_exported_with_a_row_for_every_planned_run(suite, capsys):
    _, plan = plan_of(suite)
    finish(plan.cells[:5])

    assert main(["export", suite]) == 0

    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    evaluations = [cell for cell in plan.cells if cell.stage == "evaluate"]
    assert {row["key"] for row in rows} == {cell.key for cell in evaluations}
    assert {row["state"] for row in rows} == {"ok", "missing"}
    assert all((row["value"] == "") == (row["state"] == "missing") for row in rows)


@pytest.mark.parametrize("what", ["scores", "readings", "curves", "grids", "spreads"])
@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.json", "x.tex"])
def test_every_table_goes_into_every_form_by_its_suffix(suite, capsys, tmp_path, what, name):
    _, plan = plan_of(suite)
    finish(plan.cells)

    assert main(["export", suite, "--what", what, "--out", name]) == 0

    text = (tmp_path / name).read_bytes()
    heads = {"x.parquet": b"PAR1", "x.json": b"[", "x.tex": b"\\begin{tabular}"}
    assert text.startswith(heads.get(name, b""))


def test_an_existing_file_is_not_overwritten_without_being_told(suite, capsys, tmp_path):
    _, plan = plan_of(suite)
    finish(plan.cells)
    (tmp_path / "x.csv").write_text("mine")

    assert main(["export", suite, "--out", "x.csv"]) == 2
    assert (tmp_path / "x.csv").read_text() == "mine"
    assert "x.csv exists; add --force" in capsys.readouterr().err

    assert main(["export", suite, "--out", "x.csv", "--force"]) == 0
    assert (tmp_path / "x.csv").read_text().startswith("suite,")


def test_a_file_whose_suffix_says_nothing_needs_a_format(suite, capsys, tmp_path):
    assert main(["export", suite, "--out", "scores.xlsx"]) == 2
    assert "end it with one of .csv, .parquet, .json, .tex" in capsys.readouterr().err
    assert not (tmp_path / "scores.xlsx").exists()

    assert main(["export", suite, "--out", "scores.txt", "--format", "csv"]) == 0


def test_parquet_needs_a_file(suite, capsys):
    assert main(["export", suite, "--format", "parquet"]) == 2

    assert "parquet is no text; name a file with --out" in capsys.readouterr().err
