"""A model of more classes is scored on a dataset of fewer where the suite says how."""

import pytest

from harness.api.cells import EvaluateWork, Stage
from harness.plan.identity import shared_identity

HANS = "{hans: {revision: 0123456789abcdef0123456789abcdef01234567}}"
MERGED = "{entailment: entailment, non-entailment: [neutral, contradiction]}"


def data(classes=MERGED, more=""):
    split = f"{{dataset: {HANS}, split: subsequence, classes: {classes}{more}}}"
    return f"{{dataset: mnli, batch: 8, ood: {{hans: {split}}}}}"


def test_classes_of_the_model_stand_for_those_of_the_other_dataset(opened):
    suite = opened(model="reader", data=data())
    split = next(each for each in suite.data.splits if each.name == "hans")
    assert [(each.name, each.members) for each in split.merged] == [
        ("entailment", (0,)),
        ("non-entailment", (1, 2)),
    ]
    assert (split.source, split.shift, split.parent) == ("subsequence", "natural", "matched")


def test_a_suite_as_it_was_understood_merges_the_same(opened):
    suite = opened(model="reader", data=data())
    assert opened(suite.text).data.splits == suite.data.splits


def test_merged_classes_enter_the_identity_of_an_evaluation_and_nothing_else_changes(opened):
    suite = opened(model="reader", data=data())
    by_name = {each.name: each for each in suite.data.splits}

    def identity(name):
        work = EvaluateWork(suite.models[0], suite.data.train, by_name[name], suite.scores)
        return shared_identity(Stage.EVALUATE, work, "float32", None)["split"]

    assert identity("hans")["merged"] == [[0], [1, 2]]
    assert "merged" not in identity("matched")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("{entailment: entailment}", "`classes` does not say what 'non-entailment' is made of"),
        (
            "{entailment: entailment, non-entailment: neutral}",
            "the class 'contradiction' stands nowhere in `classes`",
        ),
        (
            "{entailment: [entailment, neutral], non-entailment: [neutral, contradiction]}",
            "the class 'neutral' stands twice in `classes`",
        ),
        (
            "{entailment: entailment, non-entailment: [neutral, contra]}",
            "unknown class of the model: 'contra'; did you mean 'contradiction'?",
        ),
        ("{entails: entailment}", "unknown class 'entails'; did you mean 'entailment'?"),
        ("{entailment: entailment, non-entailment: []}", "non-entailment must name at least one"),
        ("[entailment]", "`classes` must be a table with a list of classes for each class"),
    ],
)
def test_classes_that_do_not_cover_both_sides_once_are_refused(complaint, classes, message):
    assert message in complaint(data=data(classes))


def test_without_the_key_the_number_of_classes_must_agree(complaint):
    told = complaint(data=f"{{dataset: mnli, batch: 8, ood: {{hans: {{dataset: {HANS}}}}}}}")
    assert "it has 2 classes, not 3; merge classes with `classes: {CLASS: [...]}`" in told


def test_classes_go_with_another_dataset(complaint):
    turned = "{by: {turn: {}}, classes: {a: b}}"
    told = complaint(data=f"{{dataset: flowers, batch: 8, ood: {{t: {turned}}}}}")
    assert "`classes` goes with another `dataset`" in told


def test_inputs_have_to_fit_all_the_same(complaint):
    films = "{dataset: sst2, classes: {negative: entailment, positive: [neutral, contradiction]}}"
    told = complaint(data=f"{{dataset: mnli, batch: 8, ood: {{films: {films}}}}}")
    assert "its texts are sentence, not premise, hypothesis" in told
