"""The page that says which metric to use names every metric that is offered, as it is."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "metrics"
ROW = re.compile(r"^\| .+ \| \[`([\w-]+)`\]\(\1\.md\) \| (\w+) \| ([\w-]+) \| (.+) \| .+ \| .+ \|$")


@pytest.fixture(scope="module")
def offered(catalogue):
    return {provided.offer.name: provided.offer for provided in catalogue.all("metric")}


@pytest.fixture(scope="module")
def rows():
    lines = (PAGES / "README.md").read_text(encoding="utf-8").splitlines()
    return [match for match in map(ROW.match, lines) if match]


def test_the_table_has_a_row_for_every_offered_metric_and_no_other(offered, rows):
    assert [row[1] for row in rows] == sorted(offered), "add a row to docs/metrics/README.md"


def test_the_table_says_of_what_a_metric_is_and_what_it_may_see(offered, rows):
    said = {row[1]: (row[2], row[3]) for row in rows}
    assert said == {name: (offer.of, offer.access) for name, offer in offered.items()}


def test_every_offered_metric_has_a_page(offered):
    pages = {path.stem for path in PAGES.glob("*.md")}
    assert sorted(offered.keys() - pages) == [], "write docs/metrics/NAME.md"
