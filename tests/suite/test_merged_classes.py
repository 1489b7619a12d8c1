"""A model of more classes is scored on a dataset of fewer where the suite says how."""

import pytest

from harness.api.cells import EvaluateWork, Stage
from harness.api.data import Task
from harness.api.errors import HarnessError
from harness.plan.identity import shared_identity
from harness.suite.merging import unlike

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


@pytest.fixture
def rated(tmp_path, opened):
    """A suite trained on bad and good, with an OOD split of another file; and its problems."""

    def write(name, labels):
        rows = [f"{words},{labels[place % 2]}" for place, words in enumerate(["a", "b"] * 10)]
        (tmp_path / name).write_text("\n".join(["text,label", *rows, ""]))

    write("own.csv", ["bad", "good"])

    def opened_with(labels, settings="", beside=""):
        write("other.csv", labels)
        own = "{text: {path: own.csv, label: label, test: 0.2}}"
        other = f"{{text: {{path: other.csv, label: label, test: 0.5{settings}}}}}"
        split = f"{{dataset: {other}{beside}}}"
        return opened(model="reader", data=f"{{dataset: {own}, batch: 8, ood: {{far: {split}}}}}")

    return opened_with


def refusal(rated, *arguments):
    with pytest.raises(HarnessError) as caught:
        rated(*arguments)
    return str(caught.value)


def test_classes_of_other_names_are_not_matched_by_their_places(rated):
    assert refusal(rated, ["0", "1"]).endswith(
        "dataset 'text' does not fit the suite's 'text': its classes are 0, 1, not bad, good; "
        'say which is which: `classes: {"0": ..., "1": ...}`'
    )


def test_one_class_of_another_name_is_enough_and_the_others_are_written_out(rated):
    assert refusal(rated, ["bad", "great"]).endswith(
        "its classes are bad, great, not bad, good; "
        "say which is which: `classes: {bad: bad, great: ...}`"
    )


def test_the_same_classes_in_another_order_are_refused_with_the_line_to_write(rated):
    turned = ", labels: {good: good, bad: bad}"
    assert refusal(rated, ["bad", "good"], turned).endswith(
        "its classes stand in another order; say which is which: `classes: {good: good, bad: bad}`"
    )


@pytest.mark.parametrize(
    ("labels", "settings", "classes", "found"),
    [
        (["bad", "good"], ", labels: {good: good, bad: bad}", "{good: good, bad: bad}", (1, 0)),
        (["bad", "good"], ", labels: {good: good, bad: bad}", "{bad: bad, good: good}", (1, 0)),
        (["0", "1"], "", '{"0": bad, "1": good}', (0, 1)),
        (["0", "1"], "", '{"1": bad, "0": good}', (1, 0)),
    ],
)
def test_written_classes_are_matched_by_name(rated, labels, settings, classes, found):
    suite = rated(labels, settings, f", classes: {classes}")
    far = next(each for each in suite.data.splits if each.name == "far")
    assert tuple(each.members[0] for each in far.merged) == found


def test_the_same_classes_in_the_same_order_need_no_words(rated):
    suite = rated(["good", "bad"])
    assert suite.data.splits[-1].merged == ()


def test_more_classes_than_can_be_merged_are_to_be_named_alike():
    many = Task("classification", tuple(map(str, range(70))))
    turned = Task("classification", many.classes[::-1])
    fault, fix = unlike(turned, many)
    assert fault == "its classes stand in another order"
    assert fix == "give its classes the names and the order of the suite's"


def test_a_number_to_predict_may_be_called_otherwise():
    assert unlike(Task("regression", ("stars",)), Task("regression", ("points",))) == ("", None)
