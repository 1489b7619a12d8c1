"""Scores of regression against scipy, by hand, and over examples drawn anew."""

import numpy as np
import pytest
from pydantic import ValidationError

from harness.api.settings import NoSettings
from harness.evaluate.predictions import Predictions, read_predictions, write_predictions
from harness_scores.glue import GlueSettings
from harness_scores.glue_stsb import GLUE_STSB
from harness_scores.mse import MSE
from harness_scores.pearson import PEARSON
from harness_scores.spearman import SPEARMAN

NONE = NoSettings()


def drawn(seed, n=300):
    rng = np.random.default_rng(seed)
    true = rng.normal(3.0, 1.0, n)
    return 0.5 * true + rng.normal(size=n), true


@pytest.mark.parametrize("seed", range(3))
def test_correlations_equal_scipys(seed):
    from scipy import stats

    predicted, true = drawn(seed)
    ours = [score.compute(NONE, predicted, true, None) for score in (PEARSON, SPEARMAN)]
    theirs = [float(f(predicted, true).statistic) for f in (stats.pearsonr, stats.spearmanr)]
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_glues_score_of_similarities_is_the_mean_of_both_correlations_of_scipy():
    from scipy import stats

    predicted, true = drawn(0)
    predicted = np.exp(2 * predicted)  # ranks stay, the line bends: the two differ
    line, ranks = (float(f(predicted, true).statistic) for f in (stats.pearsonr, stats.spearmanr))
    assert abs(line - ranks) > 0.05
    assert GLUE_STSB.compute(NONE, predicted, true, None) == pytest.approx((line + ranks) / 2)


def test_glue_leads_to_its_score_of_similarities():
    with pytest.raises(ValidationError, match="'stsb' predicts numbers; use the score glue-stsb"):
        GlueSettings(task="stsb")


def test_squared_error_by_hand():
    found = MSE.compute(NONE, np.array([1.0, 2.0]), np.array([3.0, 2.0]), None)
    assert found == 2.0


@pytest.mark.parametrize("score", [PEARSON, SPEARMAN, GLUE_STSB])
def test_a_constant_tells_nothing(score):
    assert score.compute(NONE, np.ones(4), np.arange(4.0), None) == 0.0


def test_pearson_of_drawn_examples_is_that_of_its_terms():
    predicted, true = drawn(0)
    draw = np.random.default_rng(1).integers(0, len(true), len(true))
    terms = PEARSON.terms.values(NONE, predicted, true, None, 1)
    found = PEARSON.terms.combine(NONE, terms[:, draw].mean(axis=1))
    exact = PEARSON.compute(NONE, predicted[draw], true[draw], None)
    assert found == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("score", [MSE, PEARSON, SPEARMAN, GLUE_STSB])
def test_the_evaluate_module_gives_the_same_number(score):
    predicted, true = drawn(2)
    answer = score.module(NONE).compute(predictions=list(predicted), references=list(true))
    assert answer[score.name] == pytest.approx(score.compute(NONE, predicted, true, None))


def test_values_come_back_from_the_file_as_they_were(tmp_path):
    targets = np.array([0.5, -2.25], dtype=np.float32)
    written = Predictions(np.array([[1.5], [np.nan]], dtype=np.float32), targets)
    write_predictions(tmp_path / "p.parquet", written)
    found = read_predictions(tmp_path / "p.parquet")
    assert found.targets.tolist() == [0.5, -2.25]
    assert found.values[0] == 1.5


def test_a_value_that_is_not_finite_counts_as_far_off():
    logits = np.array([[1.0], [np.inf]], dtype=np.float32)
    found = Predictions(logits, np.array([1.0, 4.0], dtype=np.float32))
    assert found.scorable.tolist() == [True, False]
    assert abs(found.values[1] - 4.0) > 1000
