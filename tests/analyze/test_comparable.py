"""What is not comparable is refused in one line that says why; what is missing is never dropped."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from comparison_scene import (
    EXAMPLES,
    FAST,
    SLOW,
    SUITE,
    compare,
    drawn,
    fill,
    is_of,
    predictions_of,
    write_suite,
)

from harness.analyze.comparable import NotComparable, refuse_others
from harness.api.errors import HarnessError
from harness.api.results import Failure
from harness.commands.operands import contenders_of
from harness.commands.options import SuiteOptions
from harness.evaluate.predictions import write_predictions
from harness.store import Store


def reasons(*operands, store, **asked):
    with pytest.raises(NotComparable) as caught:
        compare(*operands, store=store, **asked)
    return list(caught.value.reasons)


def pair_of_suites(tmp_path, other):
    """The tiny suite and one that says something else, each filled."""
    first = write_suite(tmp_path)
    second = write_suite(tmp_path, other.replace("id: tiny", "id: other"), "other.yaml")
    for suite in (first, second):
        fill(suite, tmp_path / "runs")
    return f"{first}:{SLOW}", f"{second}:{FAST}"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("sd: 0.3", "sd: 0.4", "on noise: sd of shift 'noise' of the split: 0.4 here, 0.3 there"),
        ("ood: {noise: {by", "ood: {noise: {of: val, by", "on noise: source of the split: val"),
    ],
)
def test_another_shift_or_split_is_refused(tmp_path, old, new, why):
    operands = pair_of_suites(tmp_path, SUITE.replace(old, new))
    (reason,) = reasons(*operands, store=tmp_path / "runs")
    assert reason.startswith(f"other: {FAST} was scored otherwise than tiny: {SLOW}")
    assert why in reason


def test_another_version_of_a_score_is_refused(tmp_path):
    text = SUITE.replace("macro-f1", "ece")
    first = write_suite(tmp_path, text)
    second = write_suite(tmp_path, text.replace("ece", "{ece: {bins: 5}}"), "other.yaml")
    fill(first, tmp_path / "one")
    fill(second, tmp_path / "two")
    operands = (f"{tmp_path}/one//{first}:{SLOW}", f"{tmp_path}/two//{second}:{FAST}")
    (reason,) = reasons(*operands, store="unused", score="ece")
    assert "bins of score 'ece' of the scoring: 5 here, the default there" in reason


def test_data_of_another_fingerprint_or_code_of_another_score_are_refused(tmp_path):
    suite = write_suite(tmp_path)
    one, other = contenders_of([suite], str(tmp_path), SuiteOptions(""), "float32")

    def changed(cell):
        if cell.stage != "evaluate":
            return cell
        return replace(
            cell,
            work=replace(cell.work, split=replace(cell.work.split, fingerprint="f" * 16)),
        )

    plan = replace(other.plan, cells=tuple(map(changed, other.plan.cells)))
    with pytest.raises(NotComparable, match="the data of the split are others"):
        refuse_others([one, replace(other, plan=plan)], ["test"], "accuracy")
    scores = tuple(replace(use, digest="0" * 16) for use in other.suite.scores)
    edited = replace(other, suite=replace(other.suite, scores=scores))
    with pytest.raises(NotComparable, match="the source code of score 'accuracy'"):
        refuse_others([one, edited], ["test"], "accuracy")


def test_other_precision_and_trial_runs_are_refused(tmp_path):
    suite = write_suite(tmp_path)
    one, _ = contenders_of([suite], str(tmp_path), SuiteOptions(""), "float32")
    _, other = contenders_of([suite], str(tmp_path), SuiteOptions(""), "bfloat16")
    with pytest.raises(NotComparable, match="the precision: bfloat16 here, float32 there"):
        refuse_others([one, other], ["test"], "accuracy")
    _, trial = contenders_of([suite], str(tmp_path), SuiteOptions("", smoke=True), "float32")
    with pytest.raises(NotComparable, match="is a trial run and random · slow is not"):
        refuse_others([one, trial], ["test"], "accuracy")


def test_a_split_or_score_that_a_suite_does_not_have_is_named(tmp_path):
    operands = pair_of_suites(tmp_path, SUITE.replace("noise: {by", "dirt: {by"))
    told = reasons(*operands, store=tmp_path / "runs")
    assert told == ["suite other 1 has no split 'noise', but val, test and dirt"]
    told = reasons(*operands, store=tmp_path / "runs", score="mcc", splits=("test",))
    assert told[0] == "suite tiny 1 has no score 'mcc', but accuracy, nll and macro-f1"


def test_suites_with_the_same_data_and_scores_are_compared_and_the_difference_is_said(tmp_path):
    operands = pair_of_suites(tmp_path, SUITE.replace("batch: 16", "batch: 32"))
    found = compare(*operands, store=tmp_path / "runs")
    assert [c.label for c in found.contestants] == [f"tiny: {SLOW}", f"other: {FAST}"]
    told = " ".join(found.notes)
    assert "is of suite other 1, tiny: random · slow of tiny 1: the data of these splits" in told
    assert "was trained otherwise than tiny: random · slow: the batch size: 32 here, 16" in told


def test_missing_and_failed_runs_are_shown_and_never_dropped(tmp_path):
    suite, store = write_suite(tmp_path), tmp_path / "runs"
    plan = fill(suite, store, without=lambda c: is_of(SLOW, 1, 0)(c) or is_of(FAST, 2, 1)(c))
    training = next(c for c in plan.cells if c.stage == "finetune" and is_of(FAST, 2, 1)(c))
    when = datetime(2026, 1, 2, tzinfo=UTC)
    failure = Failure(
        key=training.key, stage="finetune", reason="no\nmemory", log="", attempts=1, when=when
    )
    Store(store).fail(failure)

    assert reasons(suite, store=store, splits=("test",)) == [
        f"{SLOW}: 1 of 12 runs has no score on test (has not run): 1/0",
        f"{FAST}: 1 of 12 runs has no score on test (the training failed: no memory): 2/1",
    ]


def test_common_seeds_are_compared_if_asked_for_in_a_full_table(tmp_path):
    suite, store = write_suite(tmp_path), tmp_path / "runs"
    fill(suite, store, without=lambda c: is_of(SLOW, 1, 0)(c) or is_of(FAST, 2, 1)(c))

    found = compare(suite, store=store, common_seeds=True)

    slow, fast = found.contestants
    assert (slow.runs, slow.planned, slow.pretrain_seeds, slow.finetune_seeds) == (8, 12, 4, 2)
    assert set(slow.left_out) == set(fast.left_out) == {"1/0", "1/1", "2/0", "2/1"}
    assert found.notes[0].startswith(
        f"{SLOW}: 4 of 12 runs left out, 1 of them without a result: 1/0, 1/1, 2/0 and 2/1."
    )
    assert found.splits[0].pairs[0].pairing == "same seeds"


def test_suites_of_other_seeds_are_unpaired_until_common_seeds_are_asked_for(tmp_path):
    operands = pair_of_suites(tmp_path, SUITE.replace("pretrain: 6", "pretrain: 9"))

    found = compare(*operands, store=tmp_path / "runs")
    common = compare(*operands, store=tmp_path / "runs", common_seeds=True)

    assert found.splits[0].pairs[0].pairing == "none"
    assert any("12 runs of the same seeds" in warning for warning in found.warnings)
    assert common.splits[0].pairs[0].pairing == "same seeds"
    assert [c.runs for c in common.contestants] == [12, 12]


def test_crossed_and_nested_seeds_cannot_both_be_drawn(tmp_path):
    nested = SUITE.replace("finetune: 2}", "finetune: 2, design: nested}")
    operands = pair_of_suites(tmp_path, nested)
    (reason,) = reasons(*operands, store=tmp_path / "runs")
    assert "crossed here and nested there" in reason
    averaged = compare(*operands, store=tmp_path / "runs", levels="multiberts")
    assert averaged.splits[0].pairs[0].pairing == "none"


def test_unequal_examples_are_refused(tmp_path):
    suite, store = write_suite(tmp_path), tmp_path / "runs"
    fill(suite, store, lambda c: drawn(c)[: EXAMPLES - (c.procedure == FAST)])
    (reason,) = reasons(suite, store=store, splits=("test",))
    assert reason == (
        f"{FAST} was scored on other examples of test than the procedures before it "
        "(59 and 60 of them)"
    )


def test_the_same_runs_under_two_names_are_refused(tmp_path):
    suite, store = write_suite(tmp_path), tmp_path / "runs"
    other = write_suite(tmp_path, SUITE.replace("id: tiny", "id: again"), "again.yaml")
    fill(suite, store)
    (reason,) = reasons(f"{suite}:{SLOW}", f"{other}:{SLOW}", store=store)
    assert reason == f"tiny: {SLOW} and again: {SLOW} are the same runs"


def test_a_store_without_any_run_says_what_to_do(tmp_path):
    suite = write_suite(tmp_path)
    with pytest.raises(HarnessError, match="holds no accuracy of random · slow: on test"):
        compare(suite, store=tmp_path / "runs")


def test_predictions_that_do_not_give_the_stored_score_are_refused(tmp_path):
    suite, store = write_suite(tmp_path), tmp_path / "runs"
    plan = fill(suite, store)
    place = Store(store)
    cell = next(c for c in plan.cells if c.stage == "evaluate" and c.work.split.name == "test")
    record = place.read(cell.key)
    place.discard(cell.key)
    other = predictions_of(np.zeros(EXAMPLES, dtype=bool))
    place.write(record, {"predictions.parquet": lambda path: write_predictions(path, other)})
    with pytest.raises(HarnessError, match="of score 'accuracy' give 0 where 0"):
        compare(suite, store=store, splits=("test",))


WHOLE = """
from harness import Score, hookimpl

def compute(settings, predictions, references, groups=None):
    return float((predictions == references).mean() ** 2)

@hookimpl
def harness_scores():
    yield Score(name="whole", about="", module=print, higher_is_better=True, compute=compute)
"""


def test_a_score_that_is_not_made_of_examples_draws_seeds_alone_and_says_so(tmp_path):
    (tmp_path / "whole.py").write_text(WHOLE)
    text = SUITE.replace("scores: [accuracy", "plugins: [./whole.py]\nscores: [whole, accuracy")
    suite = write_suite(tmp_path, text)
    fill(suite, tmp_path / "runs")

    found = compare(suite, store=tmp_path / "runs", splits=("test",))

    held = next(level for level in found.levels if level.name == "examples")
    assert not held.drawn
    assert held.why.startswith("the score whole does not say how it is made of examples")
    assert found.splits[0].pairs[0].low is not None

    asked = compare(
        suite, store=tmp_path / "runs", splits=("test",), levels="pretrain,finetune,examples"
    )

    assert all(level.drawn for level in asked.levels)
    wide, narrow = (one.splits[0].arms[0] for one in (asked, found))
    assert wide.mean == pytest.approx(narrow.mean)
    assert wide.high - wide.low > narrow.high - narrow.low
