"""A real browser for tests of pages; where there is none, they are skipped with the reason."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no chromium on this machine")
    return found


@contextmanager
def opened(path: Path, width: int = 1280, **look) -> Iterator:
    """The page at work in chromium, figures unpacked; any complaint or request fails the test."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    browser_file = chromium()
    trouble: list[str] = []
    with driver.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=browser_file, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            page = browser.new_page(viewport={"width": width, "height": 900}, **look)
            page.on("console", lambda message: trouble.append(message.text))
            page.on("pageerror", lambda error: trouble.append(str(error)))
            page.on("request", lambda request: trouble.append(request.url))
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]", timeout=30_000)
            yield page
        finally:
            browser.close()
    allowed = (path.as_uri(), "blob:", "data:")
    assert [line for line in trouble if not line.startswith(allowed)] == []
