import numpy as np
import pytest

from harness.api.cells import SplitUse, Use
from harness.api.errors import HarnessError
from harness.evaluate.predictions import Predictions, write_predictions
from harness.evaluate.scoring import rescore, score

SPLIT = SplitUse("test", Use("dataset", "digits", "digits", {}, ""), "", "test")

STRANGER = '''
from harness.api.hooks import hookimpl
from harness.api.offers import Score

class Module:
    """Stands for an evaluate module, which would take seconds to import."""

    def __init__(self, function):
        self.function = function

    def compute(self, *, predictions, references, **extra):
        return self.function(predictions, references, **extra)

def hits(predictions, references):
    return {"count": int((predictions == references).sum()), "other": 0}

def sure(predictions, references, groups):
    return {"sure": float(predictions.max(axis=1)[groups == 1].mean())}

def breaks(predictions, references):
    raise RuntimeError("no luck")

@hookimpl
def harness_scores():
    yield Score(name="hits", about="", module=lambda s: Module(hits), higher_is_better=True,
                field="count")
    yield Score(name="sure", about="", module=lambda s: Module(sure), higher_is_better=True,
                needs="probabilities", groups=True)
    yield Score(name="breaks", about="", module=lambda s: Module(breaks), higher_is_better=True)
    yield Score(name="misnamed", about="", module=lambda s: Module(hits), higher_is_better=True)
'''


def use(name, label=None, **settings):
    return Use("score", name, label or name, settings, "")


def test_scores_stand_under_their_labels_with_their_settings(catalogue):
    logits = np.log(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], dtype=np.float32))
    predictions = Predictions(logits, np.array([0, 1, 1]))
    uses = [use("accuracy"), use("ece", "ece-1", bins=1), use("nll")]
    scored = score(predictions, uses, catalogue, SPLIT)
    assert scored.split == "test"
    assert (scored.examples, scored.unscorable, scored.failed) == (3, 0, {})
    assert scored.scores["accuracy"] == pytest.approx(2 / 3)
    assert scored.scores["ece-1"] == pytest.approx(abs((0.9 + 0.6 + 0.8) / 3 - 2 / 3), rel=1e-6)
    assert scored.scores["nll"] == pytest.approx(-np.log([0.9, 0.4, 0.8]).mean(), rel=1e-6)


def test_what_cannot_be_scored_counts_as_the_worst_and_is_counted(catalogue):
    logits = np.full((4, 2), np.nan, dtype=np.float32)
    logits[0] = [9, 0]
    predictions = Predictions(logits, np.array([0, 0, 1, 1]))
    names = ["accuracy", "mcc", "brier", "nll"]
    scored = score(predictions, [use(name) for name in names], catalogue, SPLIT)
    assert scored.unscorable == 3
    assert scored.scores["accuracy"] == 1 / 4
    assert scored.scores["mcc"] < 0
    assert scored.scores["brier"] == pytest.approx(3 * 2 / 4, abs=1e-6)
    assert 500 < scored.scores["nll"] < 532


def test_a_diverged_run_has_scores_and_they_are_the_worst(catalogue):
    predictions = Predictions(np.full((4, 2), np.nan, np.float32), np.array([0, 0, 1, 1]))
    scored = score(predictions, [use("accuracy"), use("mcc"), use("ece")], catalogue, SPLIT)
    assert scored.scores == {"accuracy": 0, "mcc": -1, "ece": 1}


def test_a_stranger_score_without_a_function_goes_through_its_module(tmp_path):
    from harness.plug.discovery import discover

    (tmp_path / "stranger.py").write_text(STRANGER)
    catalogue = discover(extra=[str(tmp_path / "stranger.py")])
    logits = np.array([[0, 9], [0, 9], [9, 0]], dtype=np.float32)
    predictions = Predictions(logits, np.array([1, 0, 0]), groups=np.array([0, 1, 1]))
    scored = score(predictions, [use("hits"), use("sure")], catalogue, SPLIT)
    assert scored.failed == {}
    assert scored.scores["hits"] == 2
    assert scored.scores["sure"] == pytest.approx(1, abs=1e-3)


def test_a_score_that_fails_is_named_and_stops_no_other(tmp_path):
    from harness.plug.discovery import discover

    (tmp_path / "stranger.py").write_text(STRANGER)
    catalogue = discover(extra=[str(tmp_path / "stranger.py")])
    predictions = Predictions(np.zeros((2, 2), np.float32), np.array([0, 1]))
    uses = [use(name) for name in ("breaks", "worst-group", "misnamed", "accuracy")]
    scored = score(predictions, uses, catalogue, SPLIT)
    assert scored.scores == {"accuracy": 0.5}
    assert scored.failed == {
        "breaks": "RuntimeError: no luck",
        "worst-group": "the split has no groups",
        "misnamed": "the module gives no 'misnamed' but count, other",
    }


def test_an_empty_split_has_no_scores(catalogue):
    nothing = Predictions(np.zeros((0, 2), np.float32), np.zeros(0, np.int64))
    scored = score(nothing, [use("accuracy")], catalogue, SPLIT)
    assert scored.failed == {"accuracy": "the split has no examples"}


def test_a_score_that_nobody_offers_is_an_error(catalogue):
    predictions = Predictions(np.zeros((2, 2), np.float32), np.array([0, 1]))
    with pytest.raises(HarnessError, match="acuracy"):
        score(predictions, [use("acuracy")], catalogue, SPLIT)


def test_stored_predictions_are_scored_again_without_a_network(tmp_path, catalogue):
    class OneFile:
        def path(self, key, name):
            return tmp_path / f"{key}-{name}"

    predictions = Predictions(np.eye(3, dtype=np.float32), np.array([0, 1, 1]))
    write_predictions(tmp_path / "evaluate-1-predictions.parquet", predictions)
    scored = rescore("evaluate-1", [use("accuracy")], SPLIT, OneFile(), catalogue)
    assert scored.scores == {"accuracy": pytest.approx(2 / 3)}
    assert scored.predictions_from == "evaluate-1"


CARELESS = """
from harness.api.hooks import hookimpl
from harness.api.offers import Score

def sorts(settings, predictions, references, groups):
    predictions.sort()
    return 0.0

@hookimpl
def harness_scores():
    yield Score(name="sorts", about="", module=lambda s: None, compute=sorts, higher_is_better=True)
"""


def test_a_score_that_works_in_place_fails_and_does_not_change_the_next_one(tmp_path):
    from harness.plug.discovery import discover

    (tmp_path / "careless.py").write_text(CARELESS)
    catalogue = discover(extra=[str(tmp_path / "careless.py")])
    predictions = Predictions(np.eye(3, dtype=np.float32)[::-1].copy(), np.array([2, 1, 0]))
    scored = score(predictions, [use("sorts"), use("accuracy")], catalogue, SPLIT)
    assert scored.scores == {"accuracy": 1.0}
    assert "read-only" in scored.failed["sorts"]
