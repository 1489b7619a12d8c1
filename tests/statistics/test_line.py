import numpy as np
import pytest
from scipy import stats

from harness.statistics.line import chance_corrected, fit_line, reliability


def test_models_on_a_probit_line_have_no_effective_robustness():
    x = np.linspace(0.6, 0.95, 12)
    y = stats.norm.cdf(0.8 * stats.norm.ppf(x) - 0.4)
    line = fit_line(x[::2], y[::2])
    assert (line.slope, line.intercept, line.r2) == pytest.approx((0.8, -0.4, 1.0))
    assert line.effective_robustness(x[1::2], y[1::2]) == pytest.approx(0, abs=1e-9)


def test_a_model_above_the_line_is_robust_by_its_height():
    x = np.linspace(0.6, 0.95, 12)
    line = fit_line(x, 0.5 * x, "linear")
    assert line.effective_robustness(np.array([0.8]), np.array([0.45])) == pytest.approx(0.05)


def test_a_logit_line_is_found_on_its_scale():
    x = np.array([0.6, 0.7, 0.8, 0.9])
    odds = 0.5 * np.log(x / (1 - x)) - 1
    line = fit_line(x, 1 / (1 + np.exp(-odds)), "logit")
    assert (line.slope, line.intercept) == pytest.approx((0.5, -1))


def test_reliability_is_the_share_of_variance_that_is_no_noise():
    generator = np.random.default_rng(0)
    truth = generator.normal(0.8, 0.01, 4000)
    tested = generator.binomial(1000, truth) / 1000
    noise = 0.8 * 0.2 / 1000
    assert reliability(tested, 1000) == pytest.approx(1e-4 / (1e-4 + noise), abs=0.05)


def test_seeds_that_differ_by_noise_alone_have_no_reliability():
    tested = np.random.default_rng(1).binomial(500, 0.8, 2000) / 500
    assert reliability(tested, 500) < 0.1
    assert reliability(np.array([0.5, 0.5]), 10) == 0


def test_noise_in_the_in_domain_scores_flattens_the_line_by_the_reliability():
    """What the warning is about."""
    generator = np.random.default_rng(2)
    truth = generator.normal(0.8, 0.01, 4000)
    tested = generator.binomial(1000, truth) / 1000
    line = fit_line(tested, truth, "linear")
    assert line.slope == pytest.approx(reliability(tested, 1000), abs=0.05)


def test_guessing_is_worth_nothing_after_correction_for_chance():
    assert chance_corrected(np.array([0.25, 1.0]), 4) == pytest.approx([0, 1])


def test_what_has_no_line_is_refused():
    with pytest.raises(ValueError, match="2 models"):
        fit_line(np.array([0.5, 0.6]), np.array([0.5, 0.6]))
    with pytest.raises(ValueError, match="same in-domain"):
        fit_line(np.full(4, 0.5), np.array([0.5, 0.6, 0.7, 0.8]))
    with pytest.raises(ValueError, match="no probit"):
        fit_line(np.array([0.5, 0.6, 1.0]), np.array([0.5, 0.6, 0.7]))
