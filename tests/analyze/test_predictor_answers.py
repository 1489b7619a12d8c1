"""What is said in words of the predictor that stands out most."""

from harness.analyze.predictor_answers import beyond
from harness.analyze.ranking import Ranking
from harness.api.cells import Primary
from harness.api.predictors import LadderStep, PredictorTest

KNOWN = ("nothing", "in-domain score")


def answer_to(*tests, steps=()):
    found = Ranking(predictors=tests, ladder=tuple(steps))
    (answer,) = beyond(found, Primary(score="accuracy", id="test", ood=("far",)))
    return answer.text


def predictor_of(predictor, *, partial=0.8, partial_p=0.01, **more):
    fields = {"target": "far", "runs": 16, "planned": 16, "clusters": 8, "tried": 19}
    fields |= {"tau": 0.5, "p": 0.01, "p_family": 0.04, "controls": ("accuracy on test",)}
    fields |= {"partial": partial, "partial_p": partial_p, "partial_p_family": partial_p}
    return PredictorTest(predictor=predictor, **{**fields, **more})


def test_a_gain_without_an_interval_stands_alone_with_its_reason():
    text = answer_to(predictor_of("cause", gain=0.3, note="too few runs for an interval"))
    assert "; it adds 0.30 to out-of-fold R²; too few runs for an interval (16 runs)." in text
    assert text.startswith("Perhaps: what stands out does not surely help")


def test_a_gain_that_cannot_be_had_is_told_of():
    text = answer_to(predictor_of("cause", note="7 runs are too few"))
    assert "it adds" not in text
    assert "; 7 runs are too few (16 runs)." in text


def test_the_best_is_told_with_the_p_that_it_was_picked_by():
    steps = [
        LadderStep(target="far", step=s, features=(), r2=0.0, runs=16, clusters=8) for s in KNOWN
    ]
    cause = predictor_of("cause", tau=0.3, p_family=0.2)
    echo = predictor_of("echo", tau=0.9, p_family=0.001, partial=0.1, partial_p=0.9)
    assert (
        "Of 19 quantities tried the best given in-domain score is cause: partial correlation 0.80, "
        "p 0.010 for the best of 19; by itself tau 0.30, p 0.20 corrected for 19 (16 runs)."
    ) in answer_to(echo, cause, steps=steps)


def test_without_controls_the_best_is_that_of_the_plain_test():
    plain = {"controls": (), "partial_p": None, "partial": None}
    text = answer_to(
        predictor_of("one", tau=0.2, p_family=0.4, **plain), predictor_of("two", **plain)
    )
    assert "the best is two: tau 0.50, p 0.040 for the best of 19 (16 runs)." in text
