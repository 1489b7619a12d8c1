"""The HTML report in a browser: drawn without a complaint, a network or a foreign script."""

import base64
import gzip
import json
import re
import subprocess
from pathlib import Path

import made_up
import pytest
from browser import chromium, opened

from harness.api.pictures import Picture
from harness.api.readings import Grid
from harness_reporters.html import HTML


def written(findings, folder: Path) -> str:
    (path,) = HTML.write(HTML.settings(), findings, folder)
    return path.read_text(encoding="utf-8")


def small(**more):
    return made_up.plan(2, 2, splits=("test", "noise", "rotation-60"), **more)


def figures(text: str) -> list[dict]:
    found = re.findall(r'<script type="application/gzip" class="figures">(.*?)</script>', text)
    groups = [json.loads(gzip.decompress(base64.b64decode(packed))) for packed in found]
    return [figure for group in groups for figure in group]


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
def test_a_browser_opens_the_page_without_a_complaint_and_without_the_network(tmp_path):
    written(made_up.findings(), tmp_path)

    dom, console, asked = browse(tmp_path / "report.html", tmp_path)

    assert console == ""
    assert asked == set()
    assert 'data-ready="yes"' in dom


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_is_drawn_when_it_comes_into_view(tmp_path, scheme):
    text = written(made_up.findings(small()), tmp_path)

    hidden = len(re.findall(r'<div class="panel"[^>]* hidden>', text))  # they wait to be chosen
    assert 0 < hidden < len(figures(text))
    with opened(tmp_path / "report.html", color_scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => (each.open = true))")
        shown = page.locator(".panel:visible .plot")
        assert shown.count() == len(figures(text)) - hidden
        for place in range(shown.count()):
            shown.nth(place).scroll_into_view_if_needed()
            shown.nth(place).locator(".main-svg").first.wait_for()


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
    assert 'data-ready="yes"' in dom


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
