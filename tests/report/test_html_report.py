"""The HTML report: one safe file, with everything in it."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import made_up
import pytest

from harness.analyze.find import find
from harness.analyze.load import load_results
from harness_reporters.html import HTML
from harness_reporters.shares import shares

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
    found = re.findall(r'<script type="application/gzip" class="figures">(.*?)</script>', text)
    groups = [json.loads(gzip.decompress(base64.b64decode(packed))) for packed in found]
    return [figure for group in groups for figure in group]


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
    assert {s.get("type") for s in scripts} == {"application/gzip", None}
    assert sum("type" not in s for s in scripts) == 1  # our own, with the nonce
    assert not any(name.startswith("on") for _, a in page.elements for name in a)


def test_markup_in_figures_is_shown_as_text(tmp_path):
    plan = small(procedures=(f"pre {EVIL}",))

    found = figures(written(made_up.findings(plan), tmp_path))

    drawn = json.dumps([[figure["data"], figure["layout"]] for figure in found])
    assert "<img" not in drawn
    assert "&lt;img" in drawn


def test_figures_take_less_than_half_the_room_of_their_numbers(tmp_path):
    text = written(made_up.findings(small()), tmp_path)

    packed = re.findall(r'class="figures">(.*?)</script>', text)
    assert sum(map(len, packed)) < len(json.dumps(figures(text))) / 2


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


def test_a_metric_of_which_no_value_is_finite_has_a_table_and_no_figure(tmp_path):
    import math

    plan = small()
    records = made_up.records(plan)
    for cell in plan.cells:
        if cell.stage == "measure" and cell.work.metric.name == "hessian-top":
            result = records[cell.key].result
            values = tuple(v.model_copy(update={"value": math.nan}) for v in result.values)
            result = result.model_copy(update={"values": values})
            records[cell.key] = records[cell.key].model_copy(update={"result": result})

    words = Page(written(made_up.findings(plan, records), tmp_path)).words

    assert "As numbers: hessian-top, runs per procedure" in words
    assert "4 not finite: no mean" in written(made_up.findings(plan, records), tmp_path)


def test_one_pair_alone_stands_on_its_mean_on_an_axis_that_does_not_show_rounding(tmp_path):
    plan = made_up.plan(1, 2, procedures=("random",), splits=("test",))

    found = figures(written(made_up.findings(plan), tmp_path))

    panel = next(f for f in found if f["data"] and "n 1" in json.dumps(f["data"]))
    places = {x for trace in panel["data"] for x in trace["x"] if x is not None}
    assert len(places) == 1
    low, high = panel["layout"]["xaxis"]["range"]
    assert high - low == pytest.approx(0.2 * abs(places.pop()), rel=1e-3)


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


def test_a_share_is_written_as_one_of_the_variance_not_of_the_sd():
    findings = made_up.findings(made_up.plan(3, 2, splits=("test", "noise")))

    for figure in shares(findings).figures:
        for note in figure.layout["annotations"]:
            assert re.fullmatch(r"<?\d+ %<br>sd [\d.]+", note["text"].replace("&lt;", "<"))


def test_shares_of_a_nested_design_are_explained_as_such():
    plan = made_up.plan(2, 2, splits=("test",), metrics=False)
    results = load_results(plan, made_up.MemoryStore(made_up.records(plan)))
    findings = find(results, plan, made_up.suite(plan, design="nested"), made_up.offers())

    group = shares(findings)

    assert [key.text for _, keys in group.legend for key in keys][1:] == ["fine-tuning seed"]
    assert "holds all that differs within one" in group.caption
    assert "interaction" not in group.caption
    assert "interaction of the seeds" in shares(made_up.findings(plan)).caption


def test_a_legend_says_truly_which_of_its_signs_repeat(tmp_path):
    names = tuple(f"width-{i}" for i in range(8))

    words = Page(written(made_up.findings(made_up.plan(2, 2, names)), tmp_path)).words

    assert "signs repeat after 6" in words
    assert "colours repeat" not in words
