"""Predictors in every form of a report: ladder, forest, tables, and marks of OOD use."""

import made_up
import pytest

from harness.api.numbers import NOTHING
from harness.api.settings import NoSettings
from harness_reporters.html import render
from harness_reporters.markdown import write as write_markdown
from harness_reporters.predictor_tables import predictor_tables
from harness_reporters.predictors import OOD, predictors


@pytest.fixture(scope="module")
def findings():
    return made_up.findings()


def test_a_split_has_a_ladder_a_forest_and_gains_for_each_choice_of_runs(findings):
    (group,) = predictors(findings)

    assert group.choices == ["all procedures, each within itself", "pretrained", "random"]
    shown = [figure.title for figure in group.figures if figure.choice == "random"]
    assert shown == [
        "The ladder of baselines",
        "How closely each goes together with the score",
        "What each adds to the baselines",
    ]
    assert "24 runs of 3 pretraining seeds" in group.caption
    assert "no p below 0.0069 can be reached" in group.caption


def test_what_saw_ood_data_has_its_own_colour_and_stands_below_the_fair_ones(findings):
    forest = predictors(findings)[0].figures[1].data[0]

    colours = forest["marker"]["color"]
    names = [text.split("<br>")[0] for text in forest["hovertext"]]
    assert {c for c, name in zip(colours, names, strict=True) if "on rotation-60" in name} == {OOD}
    assert colours[-4:] == [OOD] * 4
    assert OOD not in colours[:-4]


def test_tables_hold_every_predictor_once_with_its_kind(findings):
    tables = predictor_tables(findings)

    rows = sum(len(t.rows) for t in tables if t.title.startswith("Predictors"))
    assert rows == len(findings.predictors)
    heads = [row.head for row in tables[0].rows if row.head]
    assert heads == ["fair", "baseline", "saw OOD data"]
    assert tables[-1].title.startswith("Accuracy on the line")
    assert tables[-2].title.startswith("Pairs of runs")


def test_the_page_and_the_markdown_file_show_them(findings, tmp_path):
    page = render(findings)
    (path,) = write_markdown(NoSettings(), findings, tmp_path)

    assert 'id="predictors"' in page
    assert 'id="predictors-1"' in page
    assert "### Predictors of rotation-60" in path.read_text("utf-8")


def test_without_tests_there_is_no_section():
    few = made_up.findings(made_up.plan(2, 2))

    assert predictors(few) == predictor_tables(few) == []
    assert 'id="predictors"' not in render(few)


def test_names_from_plugins_cannot_inject_markup(findings):
    bad = findings.predictors[0].model_copy(update={"predictor": "<b>x</b> on y"})
    page = render(findings.model_copy(update={"predictors": (bad,)}))

    assert "<b>x</b>" not in page


def test_bars_of_the_ladder_have_the_intervals_of_its_steps():
    findings = made_up.findings(made_up.plan(8, 3))
    steps = [s for s in findings.ladder if s.procedure == "pretrained"]
    (bars,) = next(f for f in predictors(findings)[0].figures if f.choice == "pretrained").data

    for step, above in zip(steps, bars["error_x"]["array"], strict=True):
        wide = 0.0 if step.r2_high is None else min(step.r2_high, 1.0) - max(step.r2, -1.0)
        assert above == pytest.approx(max(0.0, wide))
    assert any(above > 0 for above in bars["error_x"]["array"])
    table = next(t for t in predictor_tables(findings) if t.title == "The ladder of baselines")
    told = f"{steps[1].r2_low:.2f} to {steps[1].r2_high:.2f}"
    assert told in [row.cells[2] for row in table.rows]


def test_a_number_without_an_interval_stands_alone_and_a_note_says_why(findings):
    """Of three seeds drawn anew there are two as a rule, and one of them is left out."""
    figures = [f for f in predictors(findings)[0].figures if f.choice == "pretrained"]
    told = next(f for f in figures if f.title.startswith("What each")).data[0]["hovertext"][0]
    assert "too few runs for an interval" in told
    assert "None" not in told
    assert NOTHING not in told


def test_quantities_that_were_not_tested_for_one_reason_share_a_row_and_are_named_below(findings):
    first = findings.predictors[0]
    lost = [
        first.model_copy(update={"predictor": name, "tau": None, "note": "no run has it"})
        for name in ("one", "two", "three")
    ]
    (table, *_) = predictor_tables(
        findings.model_copy(update={"predictors": (first, *lost), "mantel": (), "lines": ()})
    )

    assert [row.cells[0] for row in table.rows] == [first.predictor, "3 not tested"]
    assert table.rows[-1].note == "no run has it: one, two, three"
