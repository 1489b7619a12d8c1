"""The page on data names what there is, and its examples are accepted."""

import re
from pathlib import Path

import pytest
import yaml

from harness_datasets import harness_datasets, harness_shifts
from harness_scores import harness_scores

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
OFFERS = [*harness_datasets(), *harness_shifts(), *harness_scores()]
EXAMPLES = re.findall(r"^dataset: .*$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_every_built_in_data_set_shift_and_score_stands_on_the_page(offer):
    assert f"`{offer.name}`" in PAGE


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_a_data_set_is_accepted_by_its_settings(example):
    used = yaml.safe_load(example)["dataset"]
    name, settings = (used, {}) if isinstance(used, str) else next(iter(used.items()))
    offer = next(offer for offer in harness_datasets() if offer.name == name)
    assert offer.settings.model_validate(settings)


def test_the_page_has_examples():
    assert len(EXAMPLES) >= 7
