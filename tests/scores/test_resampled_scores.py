"""What scores say of single examples: over all of them, and over any drawn, the score itself."""

import numpy as np
import pytest

from harness.api.settings import NoSettings
from harness_scores.accuracy import ACCURACY
from harness_scores.balanced_accuracy import BALANCED_ACCURACY
from harness_scores.brier import BRIER
from harness_scores.ece import ECE, EceSettings
from harness_scores.glue import GLUE
from harness_scores.macro_f1 import MACRO_F1
from harness_scores.mcc import MCC
from harness_scores.nll import NLL
from harness_scores.worst_group import WORST_GROUP

CLASSES = 4


def scene(offer, n=120):
    generator = np.random.default_rng(3)
    powers = np.exp(2 * generator.normal(size=(n, CLASSES)))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    true = generator.integers(0, CLASSES, n)
    given = probabilities if offer.needs == "probabilities" else probabilities.argmax(axis=1)
    groups = generator.choice([2, 5, 9], n)
    settings = EceSettings() if offer is ECE else NoSettings()
    return settings, given, true, groups


@pytest.mark.parametrize("offer", [ACCURACY, NLL, BRIER], ids=lambda offer: offer.name)
def test_the_mean_over_examples_is_the_score(offer):
    settings, given, true, groups = scene(offer)
    each = offer.each(settings, given, true, groups)
    assert each.shape == true.shape
    assert each.mean() == offer.compute(settings, given, true, groups)


OF_TERMS = [BALANCED_ACCURACY, MACRO_F1, MCC, ECE, WORST_GROUP]


@pytest.mark.parametrize("offer", OF_TERMS, ids=lambda offer: offer.name)
def test_drawn_examples_are_scored_as_if_they_were_all_there_are(offer):
    settings, given, true, groups = scene(offer)
    terms = offer.terms.values(settings, given, true, groups, CLASSES)
    drawn = np.random.default_rng(0).integers(0, len(true), (20, len(true)))
    means = np.stack([terms[:, places].mean(axis=1, dtype=np.float64) for places in drawn])
    expected = [
        offer.compute(settings, given[places], true[places], groups[places]) for places in drawn
    ]
    assert offer.terms.combine(settings, means) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("task", ["cola", "mnli", "qqp"])
def test_glue_of_drawn_examples_is_glue_of_all_there_are(task):
    _, given, true, _ = scene(GLUE)
    settings = GLUE.settings(task=task)
    if task == "qqp":
        given, true = given % 2, true % 2
    terms = GLUE.terms.values(settings, given, true, None, CLASSES)
    drawn = np.random.default_rng(0).integers(0, len(true), (20, len(true)))
    means = np.stack([terms[:, places].mean(axis=1, dtype=np.float64) for places in drawn])
    expected = [GLUE.compute(settings, given[places], true[places]) for places in drawn]
    assert GLUE.terms.combine(settings, means) == pytest.approx(expected, abs=1e-7)


def test_classes_and_groups_that_are_not_drawn_are_left_out():
    settings, given, true, groups = scene(MACRO_F1)
    few = (true < 2) & (given < 2) & (groups != 5)
    for offer in (BALANCED_ACCURACY, MACRO_F1, MCC, WORST_GROUP):
        terms = offer.terms.values(settings, given, true, groups, CLASSES)[:, few]
        found = offer.terms.combine(settings, terms.mean(axis=1, dtype=np.float64))
        expected = offer.compute(settings, given[few], true[few], groups[few])
        assert found == pytest.approx(expected)


def test_constant_predictions_have_no_correlation_in_any_draw():
    true = np.array([0, 1, 0, 1])
    terms = MCC.terms.values(NoSettings(), np.zeros(4, dtype=int), true, None, 2)
    assert MCC.terms.combine(NoSettings(), terms.mean(axis=1)) == 0.0


@pytest.mark.parametrize("offer", [MCC, GLUE], ids=lambda offer: offer.name)
def test_a_class_of_one_example_among_very_many_counts(offer):
    settings = GLUE.settings(task="cola") if offer is GLUE else NoSettings()
    true = np.zeros(300_000, dtype=int)
    true[7] = 1
    for also in (7, 8, 9):  # found alone, found with another one, and with two others
        given = true.copy()
        given[7 : also + 1] = 1
        means = offer.terms.values(settings, given, true, None, 2).mean(axis=1, dtype=np.float64)
        expected = (1 / (also - 6)) ** 0.5
        assert offer.compute(settings, given, true) == pytest.approx(expected, rel=1e-5)
        assert offer.terms.combine(settings, means) == pytest.approx(expected, rel=1e-5)


ALL = [ACCURACY, NLL, BRIER, *OF_TERMS]


@pytest.mark.parametrize("offer", ALL, ids=lambda offer: offer.name)
def test_a_score_is_within_its_bounds_also_where_all_is_right_or_wrong(offer):
    settings, given, true, groups = scene(offer)
    least, most = offer.bounds
    sure = np.eye(CLASSES) if offer.needs == "probabilities" else np.arange(CLASSES)
    found = [
        offer.compute(settings, each, true, groups)
        for each in (given, sure[true], sure[(true + 1) % CLASSES])
    ]
    assert all(least <= score <= most for score in found)
    assert least in found or most in found or offer is MCC
