"""Procedures against each other in every form of the report."""

import io

import made_up
import pytest
from rich.console import Console

from harness.report.terminal import terminal
from harness_reporters.comparison_tables import comparison_tables
from harness_reporters.contest import contests, forest
from harness_reporters.html import render
from harness_reporters.markdown import MARKDOWN
from harness_reporters.standing_tables import standing_tables


@pytest.fixture(scope="module")
def findings():
    return made_up.findings(made_up.plan(6, 2, splits=("test", "rotation-60", "noise")))


def shown(findings, width=100):
    console = Console(file=io.StringIO(), width=width)
    terminal(findings, console)
    return console.file.getvalue()


def test_the_forest_plot_has_means_and_differences_with_their_ends_on_every_split(findings):
    split = findings.comparison.splits[1]
    group = forest(findings.comparison)

    means, differences = group.figures[2:4]

    arm, pair = split.arms[0], split.pairs[0]
    bars = means.data[0]["error_x"]
    assert means.data[0]["x"][0] == arm.mean
    assert arm.mean + bars["array"][0] == pytest.approx(arm.high)
    assert arm.mean - bars["arrayminus"][0] == pytest.approx(arm.low)
    assert differences.data[0]["x"] == [pair.effect]
    assert f"p = {pair.p:.3f}"[:8] in differences.layout["annotations"][0]["text"]
    assert differences.data[0]["marker"]["symbol"] == "circle"  # filled: one is better


def test_captions_say_what_n_and_how_it_was_measured(findings):
    first, second = (group.caption for group in contests(findings))
    assert "12 runs per procedure (6 pretraining seeds)" in first
    assert "exchanging whole pretraining seeds" in first
    assert "2,000 times" in first
    assert "examples held fixed" in first
    assert "rotation-60 and noise" in second
    assert "examples held fixed" in second


def test_a_procedure_that_cannot_be_told_apart_has_an_open_mark():
    plan = made_up.plan(4, 2, ("a", "b"), splits=("test", "rotation-60"))
    split = made_up.findings(plan).comparison
    assert forest(split).figures[1].data[0]["marker"]["symbol"] == "circle-open"


def test_the_numbers_stand_in_tables_of_the_page_and_of_markdown(findings, tmp_path):
    pair = findings.comparison.splits[1].pairs[0]
    page = render(findings)
    (path,) = MARKDOWN.write(MARKDOWN.settings(), findings, tmp_path)
    text = path.read_text()
    assert 'id="comparison"' in page
    for told in (page, text):
        assert f"{pair.effect:.3f}" in told
        assert "accuracy: differences between procedures" in told
        assert "interquartile mean" in told
        assert "P(A" in told
    assert len([*comparison_tables(findings), *standing_tables(findings)]) == 4


def test_the_terminal_shows_the_differences_and_the_standings(findings):
    text = shown(findings)
    pair = findings.comparison.splits[1].pairs[0]
    assert "second less first (95 % interval)" in text
    assert f"{pair.effect:.3f}" in text
    assert "accuracy over 2 OOD splits" in text
    assert "12/12" in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_narrow_terminals_show_it_too(findings, width):
    assert "difference" in shown(findings, width)


def test_many_procedures_have_means_with_intervals_and_no_differences():
    names = [f"width-{n}" for n in range(7)]
    found = made_up.findings(made_up.plan(3, 2, names, splits=("test", "rotation-60")))
    group = contests(found)[0]
    assert [figure.title for figure in group.figures] == [
        "test (in-domain): means",
        "rotation-60 (OOD): means",
    ]
    assert "No two are tested" in group.caption
    assert "second less first" not in shown(found)


def test_ranks_stand_in_the_table_of_means_where_there_are_more_than_two():
    plan = made_up.plan(4, 2, ("a", "b", "random"), splits=("test", "rotation-60"))
    table = comparison_tables(made_up.findings(plan))[0]
    assert table.columns[-1] == "rank"
    assert {row.cells[-1][0] for row in table.rows} == {"1", "2", "3"}


def test_one_seed_is_drawn_without_whiskers():
    found = made_up.findings(made_up.plan(1, 1, splits=("test", "rotation-60")))
    means, differences = forest(found.comparison).figures[:2]
    assert means.data[0]["error_x"]["array"] == [0.0, 0.0]
    assert differences.layout["annotations"][0]["text"] == "no test"


def test_labels_cannot_inject_markup():
    names = ("<b>x</b>", "y & <script>alert(1)</script>")
    found = made_up.findings(made_up.plan(3, 2, names, splits=("test", "rotation-60")))
    for group in contests(found):
        for figure in group.figures:
            assert "<script>" not in str(figure.data) + str(figure.layout)
            assert "<b>" not in str(figure.data) + str(figure.layout)
    assert "<script>alert" not in render(found)
