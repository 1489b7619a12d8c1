"""The HTML report in use: a reader sorts, filters, chooses and saves, in a real browser."""

import csv
import io
from pathlib import Path

import made_up
import pytest
from browser import opened

from harness.api.pictures import Clusters
from harness_reporters.html import HTML

pytestmark = pytest.mark.slow


def written(findings, folder: Path) -> Path:
    (path,) = HTML.write(HTML.settings(), findings, folder)
    return path


def column(page, heading: str) -> list[str]:
    """Texts of the column of the runs' table with that filter."""
    labels = [
        box.get_attribute("aria-label") for box in page.query_selector_all("#runs input[type=text]")
    ]
    place = labels.index(f"Filter {heading}")
    rows = page.query_selector_all("#runs tbody tr")
    return [row.query_selector_all("td")[place].inner_text() for row in rows]


def saved(page, button) -> bytes:
    with page.expect_download() as waited:
        button.click()
    return Path(waited.value.path()).read_bytes()


def test_runs_are_sorted_up_down_and_back_by_the_keyboard(tmp_path):
    with opened(written(made_up.findings(), tmp_path)) as page:
        before = column(page, "accuracy on rotation-60")
        heading = page.locator("#runs thead th", has_text="rotation-60")

        heading.locator("button").focus()
        page.keyboard.press("Enter")
        up = column(page, "accuracy on rotation-60")
        assert heading.get_attribute("aria-sort") == "ascending"
        page.keyboard.press("Enter")
        down = column(page, "accuracy on rotation-60")
        assert heading.get_attribute("aria-sort") == "descending"
        page.keyboard.press("Enter")

        assert up == sorted(before, key=float)
        assert down == up[::-1]
        assert up != before
        assert column(page, "accuracy on rotation-60") == before
        assert heading.get_attribute("aria-sort") == "none"


def test_runs_are_filtered_by_words_and_numbers_and_the_file_holds_what_is_shown(tmp_path):
    with opened(written(made_up.findings(), tmp_path)) as page:
        everything = saved(page, page.locator("#runs .download")).decode()
        page.get_by_label("Filter procedure").fill("random")
        page.get_by_label("Filter pretrain seed").fill("0, 2")
        page.get_by_label("Filter accuracy on test").fill("> 0.5")

        assert set(column(page, "procedure")) == {"random"}
        assert set(column(page, "pretrain seed")) == {"0", "2"}
        assert page.locator("#runs .count").inner_text() == "8 of 24 runs"
        rows = list(
            csv.DictReader(io.StringIO(saved(page, page.locator("#runs .download")).decode()))
        )
        assert len(rows) == 8
        assert {row["procedure"] for row in rows} == {"random"}
        assert float(rows[0]["accuracy on rotation-60"]) > 0
        assert float(rows[0]["hessian-top eigenvalue-1 on train"]) > 0

        page.get_by_label("Filter accuracy on test").fill("> lots")
        assert page.get_by_label("Filter accuracy on test").get_attribute("aria-invalid") == "true"
        page.locator("#runs .clear").click()
        assert page.locator("#runs .count").inner_text() == "24 of 24 runs"
        assert saved(page, page.locator("#runs .download")).decode() == everything


def test_columns_of_other_scores_and_metrics_are_shown_where_asked_for(tmp_path):
    with opened(written(made_up.findings(), tmp_path)) as page:
        assert page.get_by_label("Filter nll on test").count() == 0

        page.locator("#runs .choices label", has_text="nll").click()
        page.locator("#runs .choices label", has_text="accuracy").click()

        assert page.get_by_label("Filter nll on test").count() == 1
        assert page.get_by_label("Filter accuracy on test").count() == 0


def test_ten_thousand_runs_are_sorted_filtered_and_shown_as_one_scrolls(tmp_path):
    findings = made_up.findings(made_up.plan(2, 2, splits=("test", "noise", "rotation-60")))
    many = tuple(
        run.model_copy(
            update={"finetune_seed": seed, "order_seed": seed, "value": (seed * 7 % 997) / 997}
        )
        for run in findings.runs
        if (run.finetune_seed, run.score) == (0, "accuracy")
        for seed in range(2500)
    )
    path = written(findings.model_copy(update={"runs": many}), tmp_path)
    with opened(path) as page:
        page.evaluate(
            """() => {
              document.querySelector("#runs thead th[data-column='4'] button").click();
              const input = document.querySelector("#runs .filters input");
              input.value = "pre";
              input.dispatchEvent(new Event("input"));
              document.querySelector("#runs tbody").getBoundingClientRect();
            }"""
        )

        assert page.locator("#runs .count").inner_text() == "5,000 of 10,000 runs"
        assert page.locator("#runs tbody tr").count() == 100
        page.locator("#runs .scroll").evaluate("box => box.scrollTo(0, box.scrollHeight)")
        page.locator("#runs tbody tr").nth(199).wait_for(state="attached")


def test_other_tables_are_sorted_too_with_the_heading_of_their_group_on_every_row(tmp_path):
    with opened(written(made_up.findings(), tmp_path)) as page:
        table = page.locator("table", has_text="accuracy (higher is better)").first
        before = table.locator("tbody").inner_text()

        table.locator("thead button", has_text="mean").click()

        means = [
            float(text) for text in table.locator("tbody tr td:nth-child(3)").all_inner_texts()
        ]
        assert means == sorted(means)
        assert table.locator("tbody th").count() == len(means) == 16
        table.locator("thead button", has_text="mean").click()
        table.locator("thead button", has_text="mean").click()
        assert table.locator("tbody").inner_text() == before


def test_every_figure_can_be_saved_as_svg_and_as_png(tmp_path):
    findings = made_up.findings(made_up.plan(2, 2, splits=("test", "rotation-60")))
    with opened(written(findings, tmp_path)) as page:
        panels = page.locator(".panel:visible")
        assert panels.count() >= 6
        for place in range(panels.count()):
            panel = panels.nth(place)
            panel.scroll_into_view_if_needed()
            panel.locator(".js-plotly-plot").wait_for()
            picture = saved(page, panel.locator(".save button", has_text="PNG"))
            drawing = saved(page, panel.locator(".save button", has_text="SVG")).decode()

            assert picture.startswith(b"\x89PNG")
            assert len(picture) > 2000
            assert drawing.startswith("<svg")
            assert "@c0" not in drawing


def test_words_of_suites_and_plugins_stay_words_in_tables_and_figures(tmp_path):
    evil = "<img src=x onerror=\"document.title='pwned'\">"
    plan = made_up.plan(2, 2, procedures=(evil,), splits=("test", "rotation-60"))
    with opened(written(made_up.findings(plan), tmp_path)) as page:
        assert set(column(page, "procedure")) == {evil}
        assert page.locator("img").count() == 0
        assert page.title() != "pwned"


def test_colours_of_the_scatter_plots_change_with_their_legend(tmp_path):
    findings = made_up.findings(made_up.plan(2, 2, ("random",), splits=("test", "rotation-60")))
    clusters = Clusters(
        procedure="random", metric="cg-clusters", split="test", clusters={"0/0": 0, "0/1": 1}
    )
    path = written(findings.model_copy(update={"clusters": (clusters,)}), tmp_path)
    with opened(path) as page:
        figure = page.locator("#scatters")
        figure.scroll_into_view_if_needed()
        assert figure.locator(".panel:visible").count() == 1
        assert figure.locator(".keys:visible").count() == 2

        figure.locator("select").select_option("cluster (cg-clusters)")

        figure.locator(".panel:visible .js-plotly-plot").wait_for()
        assert figure.locator(".panel:visible").count() == 1
        assert "cluster" in figure.locator(".legend").inner_text()
        shown = figure.locator(".keys:visible").first.inner_text()
        assert shown.startswith("cluster (cg-clusters)")
