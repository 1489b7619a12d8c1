"""The HTML report: one safe file, with everything in it."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import made_up
import pytest

from harness.analyze.find import find
from harness.analyze.load import load_results
from harness.api.pictures import Picture
from harness.api.readings import Grid
from harness_reporters.html import HTML
from harness_reporters.scores import shares

EVIL = '<script>alert("pwned")</script><img src=x onerror=alert(1)>'


def written(findings, folder: Path) -> str:
    (path,) = HTML.write(HTML.settings(), findings, folder)
    return path.read_text(encoding="utf-8")


class Page(HTMLParser):
    """Elements by name, with their attributes, and the text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.words += data


def small(**more):
    return made_up.plan(2, 2, splits=("test", "noise", "rotation-60"), **more)


def figures(text: str) -> list[dict]:
    found = re.findall(r'<script type="application/json">(.*?)</script>', text, re.S)
    return [figure for group in found for figure in json.loads(group)]


def test_the_report_is_one_file_of_at_most_five_megabytes_with_nothing_to_fetch(tmp_path):
    text = written(made_up.findings(), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert len(text.encode()) < 5_000_000
    addresses = [
        value
        for _, attributes in Page(text).elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "data")
    ]
    assert set(addresses) <= {"#problems"}
    assert "default-src 'none'" in text


def test_the_first_screen_says_what_was_found_and_what_to_beware_of(tmp_path):
    findings = made_up.findings()

    words = Page(written(findings, tmp_path)).words

    assert findings.title in words
    places = [words.index(answer.question) for answer in findings.answers]
    assert places == sorted(places)
    assert words.index("Before you believe it") < words.index("All runs on all splits")
    assert "Only 3 pretraining seeds" in words


def test_every_number_of_the_spreads_stands_in_a_table(tmp_path):
    findings = made_up.findings(small())

    words = Page(written(findings, tmp_path)).words

    for spread in findings.spreads:
        assert f"{spread.mean:.3f}" in words
        assert f"{spread.runs}/{spread.planned}" in words


def test_markup_from_suites_plugins_and_errors_cannot_get_into_the_page(tmp_path):
    plan = made_up.relabelled(small(procedures=(f"pre {EVIL}",)), f"title {EVIL}")
    failed = [made_up.failure(plan.cells[-1], f"ValueError: {EVIL}")]
    findings = made_up.findings(plan, made_up.records(plan), failed=failed)

    text = written(findings, tmp_path)

    page = Page(text)
    assert page.words.count(EVIL) >= 4  # title, label, reason ...: shown as they are
    assert not [tag for tag, _ in page.elements if tag == "img"]
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert {s.get("type") for s in scripts} == {"application/json", "application/gzip", None}
    assert sum("type" not in s for s in scripts) == 1  # our own, with the nonce
    assert not any(name.startswith("on") for _, a in page.elements for name in a)


def test_markup_in_figures_is_shown_as_text(tmp_path):
    plan = small(procedures=(f"pre {EVIL}",))

    found = figures(written(made_up.findings(plan), tmp_path))

    drawn = json.dumps([[figure["data"], figure["layout"]] for figure in found])
    assert "<img" not in drawn
    assert "&lt;img" in drawn


def test_every_figure_is_one_that_plotly_accepts(tmp_path):
    import plotly.graph_objects

    found = figures(written(made_up.findings(small()), tmp_path))

    assert len(found) >= 15
    for figure in found:
        tokens = json.loads(re.sub(r'"@\w+"', '"#123456"', json.dumps(figure)))
        plotly.graph_objects.Figure(data=tokens["data"], layout=tokens["layout"])


def test_every_group_of_figures_has_a_caption_with_a_count(tmp_path):
    text = written(made_up.findings(small()), tmp_path)

    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, re.S)

    assert len(captions) == text.count('<figure class="group"')
    for caption in captions:
        assert re.search(r"\d", caption), caption


def test_failed_cells_and_a_trial_run_stand_on_top(tmp_path):
    from dataclasses import replace

    plan = replace(small(), smoke=True)
    failed = [made_up.failure(cell) for cell in plan.cells if cell.stage == "measure"][:3]
    findings = made_up.findings(plan, made_up.records(plan), failed=failed)

    words = Page(written(findings, tmp_path)).words

    assert words.index("Trial run.") < words.index("Answers")
    assert words.index("3 cells failed.") < words.index("Answers")
    assert "RuntimeError: out of memory" in words


def test_numbers_that_are_not_finite_are_named_in_tables_and_left_out_of_figures(tmp_path):
    import math

    plan = small()
    records = made_up.records(plan)
    for cell in plan.cells:
        if cell.stage == "evaluate" and cell.work.split.name == "noise":
            result = records[cell.key].result
            result = result.model_copy(update={"scores": {"accuracy": 0.1, "nll": math.inf}})
            records[cell.key] = records[cell.key].model_copy(update={"result": result})

    text = written(made_up.findings(plan, records), tmp_path)

    assert figures(text)
    assert "4 values NaN or infinite: no mean" in Page(text).words


def test_an_empty_store_makes_a_report_without_figures(tmp_path):
    plan = small()

    text = written(made_up.findings(plan, {}), tmp_path)

    assert figures(text) == []
    assert "Incomplete." in text
    assert "0/4" in text


def test_writing_again_replaces_the_file_and_leaves_no_other(tmp_path):
    findings = made_up.findings(made_up.plan(1, 1, splits=("test",)))

    written(findings, tmp_path)
    written(findings, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no chromium on this machine")
    return found


def browse(path: Path, folder: Path, *more: str) -> tuple[str, str, set[str]]:
    """The page's DOM once its figures are drawn, the console, and every address it asks for."""
    log = folder / "net.json"
    finished = subprocess.run(
        [
            chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={folder / 'profile'}", "--window-size=1280,12000",
            "--virtual-time-budget=20000", "--enable-logging=stderr", "--v=0",
            f"--log-net-log={log}", "--dump-dom", *more, path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )  # fmt: skip
    console = "\n".join(line for line in finished.stderr.splitlines() if "CONSOLE" in line)
    asked = re.findall(r'"url":"((?:https?|wss?|ftp)://([^"/]*)[^"]*)"', log.read_text())
    own = ("google.com", "googleapis.com", "gvt1.com")  # what chromium asks for by itself
    return finished.stdout, console, {url for url, host in asked if not host.endswith(own)}


@pytest.mark.slow
def test_a_browser_draws_every_figure_without_a_complaint_and_without_the_network(tmp_path):
    findings = made_up.findings()
    text = written(findings, tmp_path)

    dom, console, asked = browse(tmp_path / "report.html", tmp_path)

    assert console == ""
    assert asked == set()
    hidden = len(re.findall(r'<div class="panel"[^>]* hidden>', text))  # they wait to be chosen
    assert 0 < hidden < len(figures(text))
    assert dom.count('class="plot js-plotly-plot"') == len(figures(text)) - hidden


@pytest.mark.slow
def test_the_browser_test_would_notice_an_error_and_a_request(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text('<script>nothing()</script><img src="http://127.0.0.1:9/x.png">')

    _, console, asked = browse(page, tmp_path)

    assert "nothing is not defined" in console
    assert asked == {"http://127.0.0.1:9/x.png"}


@pytest.mark.slow
def test_no_script_from_outside_runs_in_a_browser(tmp_path):
    evil = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
    plan = made_up.relabelled(small(procedures=(evil,)), evil)
    written(made_up.findings(plan), tmp_path)

    dom, console, _ = browse(tmp_path / "report.html", tmp_path)

    assert console == ""
    assert "<title>pwned" not in dom
    assert 'class="plot js-plotly-plot"' in dom


def test_shares_of_a_nested_design_are_explained_as_such():
    plan = made_up.plan(2, 2, splits=("test",), metrics=False)
    results = load_results(plan, made_up.MemoryStore(made_up.records(plan)))
    findings = find(results, plan, made_up.suite(plan, design="nested"), made_up.offers())

    group = shares(findings)

    assert [key.text for _, keys in group.legend for key in keys][1:] == ["fine-tuning seed"]
    assert "holds all that differs within one" in group.caption
    assert "interaction" not in group.caption
    assert "interaction of both seeds" in shares(made_up.findings(plan)).caption


def test_a_legend_says_truly_which_of_its_signs_repeat(tmp_path):
    names = tuple(f"width-{i}" for i in range(8))

    words = Page(written(made_up.findings(made_up.plan(2, 2, names)), tmp_path)).words

    assert "signs repeat after 6" in words
    assert "colours repeat" not in words


@pytest.mark.slow
def test_a_plane_becomes_a_surface_at_a_click_where_the_browser_can_draw_one(tmp_path):
    grid = Grid(
        name="plane",
        split="test",
        x=[0.0, 0.5, 1.0],
        y=[0.0, 1.0],
        z={"loss": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]},
        marks={"start": (0.0, 0.0)},
    )
    picture = Picture(
        procedure="pretrained", metric="plane", pair_kind=None, runs=("0/0", "0/1"), grid=grid
    )
    findings = made_up.findings(small()).model_copy(update={"pictures": (picture,)})
    text = written(findings, tmp_path)
    click = 'document.querySelectorAll(".views button")[1].click();'
    ready = 'document.documentElement.dataset.ready = "yes";'
    (tmp_path / "report.html").write_text(text.replace(ready, ready + click), encoding="utf-8")

    dom, console, _ = browse(tmp_path / "report.html", tmp_path, "--enable-unsafe-swiftshader")

    assert "Uncaught" not in console
    assert "Refused" not in console
    assert "gl-canvas" in dom or "surface: not in this browser" in dom
