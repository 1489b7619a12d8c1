"""What is said in words of the predictor that stands out most."""

from harness.analyze.predictor_answers import beyond
from harness.analyze.ranking import Ranking
from harness.api.cells import Primary
from harness.api.predictors import PredictorTest


def answer_to(*tests):
    (answer,) = beyond(
        Ranking(predictors=tests), Primary(score="accuracy", id="test", ood=("far",))
    )
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
