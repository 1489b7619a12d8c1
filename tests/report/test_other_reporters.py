"""What all reporters of files have in common; Markdown, JSON and CSV."""

import csv
import json
from dataclasses import replace

import made_up
import pytest

from harness.api.findings import Findings
from harness_reporters import CSV, JSON, LATEX, MARKDOWN, PARQUET


def test_markdown_has_the_answers_and_a_row_per_spread(tmp_path):
    findings = made_up.findings(made_up.plan(2, 2, splits=("test", "noise")))

    (path,) = MARKDOWN.write(MARKDOWN.settings(), findings, tmp_path)

    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Digits: pretrained on rotated images")
    assert findings.answers[0].text.split(":")[0] in text
    assert "| noise | random |" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.count("|") >= 5 for line in rows)


def test_markdown_disarms_what_comes_from_outside(tmp_path):
    plan = made_up.relabelled(made_up.plan(1, 1, splits=("test",)), "a | b\n# c <img src=x> [d](e)")

    (path,) = MARKDOWN.write(MARKDOWN.settings(), made_up.findings(plan), tmp_path)

    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == r"# a \| b \# c \<img src=x\> \[d\](e)"


def test_the_json_report_is_the_findings(tmp_path):
    findings = made_up.findings(made_up.plan(2, 2, splits=("test",)))

    (path,) = JSON.write(JSON.settings(), findings, tmp_path)

    assert Findings.model_validate_json(path.read_text()) == findings
    assert json.loads(path.read_text())["schema_version"] == 1


def test_the_csv_report_holds_every_number_as_it_is(tmp_path):
    findings = made_up.findings(made_up.plan(2, 2, splits=("test",)))

    CSV.write(CSV.settings(), findings, tmp_path)

    with (tmp_path / "csv" / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(findings.runs)
    assert float(rows[0]["value"]) == findings.runs[0].value


def test_every_row_of_the_csv_report_says_whether_it_is_of_a_trial(tmp_path):
    plan = replace(made_up.plan(2, 2, splits=("test",)), smoke=True)

    paths = CSV.write(CSV.settings(), made_up.findings(plan), tmp_path)

    for path in paths:
        with path.open(newline="") as file:
            assert {(row["suite"], row["smoke"]) for row in csv.DictReader(file)} == {
                ("made-up", "True")
            }


def test_a_remark_in_markdown_names_its_row(tmp_path):
    plan = made_up.plan(2, 2, splits=("test", "noise"), metrics=False)
    records = made_up.records(plan)
    lost = next(c for c in plan.cells if c.stage == "evaluate" and c.procedure == "random")
    del records[lost.key]

    (path,) = MARKDOWN.write(MARKDOWN.settings(), made_up.findings(plan, records), tmp_path)

    assert "- 1 of 4 runs have no value (test (ID), random)" in path.read_text().splitlines()


@pytest.mark.parametrize(
    "reporter", [MARKDOWN, LATEX, JSON, CSV, PARQUET], ids=lambda reporter: reporter.name
)
def test_an_empty_store_is_no_error(reporter, tmp_path):
    findings = made_up.findings(made_up.plan(1, 1, splits=("test",)), {})

    assert all(path.is_file() for path in reporter.write(reporter.settings(), findings, tmp_path))
