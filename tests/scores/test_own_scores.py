"""Each score against scikit-learn or a value worked out by hand, and where it has no value."""

import math

import numpy as np
import pytest

from harness.api.settings import NoSettings
from harness_scores.accuracy import ACCURACY
from harness_scores.balanced_accuracy import BALANCED_ACCURACY
from harness_scores.brier import BRIER
from harness_scores.ece import ECE, EceSettings
from harness_scores.glue import GLUE, GlueSettings
from harness_scores.macro_f1 import MACRO_F1
from harness_scores.mcc import MCC
from harness_scores.nll import NLL
from harness_scores.worst_group import WORST_GROUP

NONE = NoSettings()


def drawn_labels(seed, classes=7, n=500):
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, n)
    return np.where(rng.random(n) < 0.6, true, rng.integers(0, classes, n)), true


def drawn_probabilities(seed, classes=5, n=400):
    rng = np.random.default_rng(seed)
    powers = np.exp(2 * rng.normal(size=(n, classes)))
    return powers / powers.sum(axis=1, keepdims=True), rng.integers(0, classes, n)


@pytest.mark.parametrize("seed", range(5))
def test_label_scores_equal_scikit_learns(seed):
    from sklearn import metrics

    predicted, true = drawn_labels(seed)
    ours = [o.compute(NONE, predicted, true, None) for o in (ACCURACY, BALANCED_ACCURACY, MCC)]
    theirs = [
        metrics.accuracy_score(true, predicted),
        metrics.balanced_accuracy_score(true, predicted),
        metrics.matthews_corrcoef(true, predicted),
    ]
    assert ours == pytest.approx(theirs, rel=1e-12)
    f1 = metrics.f1_score(true, predicted, average="macro")
    assert MACRO_F1.compute(NONE, predicted, true, None) == pytest.approx(f1, rel=1e-12)


@pytest.mark.parametrize("task", ["cola", "mnli", "mrpc", "qnli", "qqp", "rte", "sst2", "wnli"])
def test_glue_equals_what_scikit_learn_gives_for_the_task(task):
    from sklearn import metrics

    predicted, true = drawn_labels(1, classes=3 if task == "mnli" else 2)
    accuracy = metrics.accuracy_score(true, predicted)
    expected = {
        "cola": metrics.matthews_corrcoef(true, predicted),
        "mrpc": (metrics.f1_score(true % 2, predicted % 2) + accuracy) / 2,
        "qqp": (metrics.f1_score(true % 2, predicted % 2) + accuracy) / 2,
    }.get(task, accuracy)
    ours = GLUE.compute(GlueSettings(task=task), predicted, true, None)
    assert ours == pytest.approx(expected, rel=1e-12)


def test_f1_of_a_class_that_nobody_has_is_zero_in_glue():
    none = np.zeros(4, dtype=int)
    assert GLUE.compute(GlueSettings(task="qqp"), none, none) == 0.5  # (0 + 1) / 2
    terms = GLUE.terms.values(GlueSettings(task="qqp"), none, none, None, 2)
    assert GLUE.terms.combine(GlueSettings(task="qqp"), terms.mean(axis=1)) == 0.5


def test_a_task_of_two_classes_refuses_a_third():
    with pytest.raises(ValueError, match="has the classes 0 and 1"):
        GLUE.compute(GlueSettings(task="mrpc"), np.array([0, 1]), np.array([2, 1]))


@pytest.mark.parametrize("seed", range(5))
def test_nll_and_brier_equal_scikit_learns(seed):
    from sklearn import metrics

    given, true = drawn_probabilities(seed)
    nll = metrics.log_loss(true, given, labels=range(5))
    brier = ((given - np.eye(5)[true]) ** 2).sum(axis=1).mean()
    assert NLL.compute(NONE, given, true, None) == pytest.approx(nll, rel=1e-12)
    assert BRIER.compute(NONE, given, true, None) == pytest.approx(brier, rel=1e-12)


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_ece_equals_the_definition_bin_by_bin(bins):
    given, true = drawn_probabilities(0)
    confidence, right = given.max(axis=1), given.argmax(axis=1) == true
    expected = 0.0
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if inside.any():
            gap = right[inside].mean() - confidence[inside].mean()
            expected += inside.mean() * abs(gap)
    ours = ECE.compute(EceSettings(bins=bins), given, true, None)
    assert ours == pytest.approx(expected, rel=1e-12)


def test_ece_has_fifteen_bins_by_default_and_a_bin_holds_its_upper_edge():
    assert EceSettings().bins == 15
    given = np.array([[0.5, 0.5], [0.5, 0.5], [0.51, 0.49], [0.51, 0.49]])
    true = np.array([0, 1, 0, 0])
    # Two bins: (0, 0.5] holds the first two (accuracy 1/2, confidence 1/2), (0.5, 1] the others.
    ours = ECE.compute(EceSettings(bins=2), given, true, None)
    assert ours == pytest.approx(0.5 * 0 + 0.5 * 0.49)


def test_scores_of_a_small_table_by_hand():
    true, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2])
    assert ACCURACY.compute(NONE, predicted, true, None) == pytest.approx(4 / 6)
    assert BALANCED_ACCURACY.compute(NONE, predicted, true, None) == pytest.approx(
        (2 / 3 + 1 / 2 + 1) / 3
    )
    assert MACRO_F1.compute(NONE, predicted, true, None) == pytest.approx(
        (4 / 5 + 1 / 2 + 2 / 3) / 3
    )
    assert MCC.compute(NONE, predicted, true, None) == pytest.approx(12 / math.sqrt(24 * 22))


def test_worst_group_is_the_smallest_accuracy_of_a_group_with_examples():
    true, predicted = np.array([0, 0, 1, 1, 1, 0]), np.array([0, 1, 1, 1, 0, 0])
    groups = np.array([0, 0, 2, 2, 2, 5])  # 1/2, 2/3, 1; nobody in groups 1, 3, 4
    assert WORST_GROUP.compute(NONE, predicted, true, groups) == 0.5


def test_worst_group_needs_groups():
    with pytest.raises(ValueError, match="needs the group of every example"):
        WORST_GROUP.compute(NONE, np.array([0]), np.array([0]), None)


@pytest.mark.parametrize(
    ("predicted", "true"), [([1, 1, 1, 1], [0, 1, 2, 1]), ([0, 1, 2, 1], [1, 1, 1, 1])]
)
def test_mcc_is_zero_where_predictions_or_labels_are_constant(predicted, true):
    assert MCC.compute(NONE, np.array(predicted), np.array(true), None) == 0


def test_perfect_predictions_have_perfect_scores():
    true = np.array([0, 1, 2, 2])
    sure = np.eye(3)[true]
    for offer in (ACCURACY, BALANCED_ACCURACY, MACRO_F1, MCC):
        assert offer.compute(NONE, true, true, None) == 1
    for offer in (NLL, BRIER):
        assert offer.compute(NONE, sure, true, None) == 0
    assert ECE.compute(EceSettings(), sure, true, None) == 0


def test_with_one_true_class_balanced_accuracy_is_its_accuracy():
    true, predicted = np.zeros(4, dtype=int), np.array([0, 0, 1, 0])
    assert BALANCED_ACCURACY.compute(NONE, predicted, true, None) == 0.75
    # Class 1 is predicted and never true: its F1 is 0; class 0 has 2 * 3 / (2 * 3 + 1).
    assert MACRO_F1.compute(NONE, predicted, true, None) == pytest.approx((6 / 7 + 0) / 2)


def test_a_sure_and_wrong_example_costs_the_largest_finite_nll():
    given = np.array([[1.0, 0.0], [1.0, 0.0]])
    nll = NLL.compute(NONE, given, np.array([1, 0]), None)
    assert nll == pytest.approx(-math.log(np.finfo(np.float64).tiny) / 2)
    assert BRIER.compute(NONE, given, np.array([1, 0]), None) == 1  # 2 and 0


@pytest.mark.parametrize("offer", [NLL, BRIER, ECE])
def test_logits_are_not_taken_for_probabilities(offer):
    with pytest.raises(ValueError, match="are these logits"):
        offer.compute(offer.settings(), np.array([[2.0, -1.0]]), np.array([0]), None)


@pytest.mark.parametrize("offer", [ACCURACY, BALANCED_ACCURACY, MACRO_F1, MCC])
def test_nothing_to_score_is_an_error_and_not_a_number(offer):
    nothing = np.array([], dtype=int)
    with pytest.raises(ValueError, match="nothing to score"):
        offer.compute(NONE, nothing, nothing, None)


@pytest.mark.parametrize("offer", [NLL, BRIER, ECE])
def test_labels_beyond_the_classes_are_refused(offer):
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1"):
        offer.compute(offer.settings(), np.array([[0.5, 0.5]]), np.array([2]), None)
