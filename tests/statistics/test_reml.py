import numpy as np
import pytest

from harness.statistics.components import crossed, nested
from harness.statistics.reml import fit


def table(a, b, sds, seed=0):
    draw = np.random.default_rng(seed).normal
    return (
        0.7 + sds[0] * draw(size=(a, 1)) + sds[1] * draw(size=(1, b)) + sds[2] * draw(size=(a, b))
    )


def labels(a, b):
    return [i for i in range(a) for _ in range(b)], [j for _ in range(a) for j in range(b)]


def test_a_balanced_crossed_design_gives_the_anova_estimates():
    y = table(6, 5, (0.03, 0.02, 0.01))
    rows, columns = labels(6, 5)
    found = fit(y.ravel(), {"pretrain": rows, "finetune": columns}).variances
    exact = crossed(y)
    assert not exact.truncated
    assert found["pretrain"] == pytest.approx(exact.pretrain, rel=1e-4)
    assert found["finetune"] == pytest.approx(exact.finetune, rel=1e-4)
    assert found["rest"] == pytest.approx(exact.interaction, rel=1e-4)


def test_a_balanced_nested_design_gives_the_anova_estimates():
    y = table(5, 4, (0.1, 0.0, 0.05), seed=3)
    rows, _ = labels(5, 4)
    found = fit(y.ravel(), {"pretrain": rows}).variances
    exact = nested(y)
    assert found["pretrain"] == pytest.approx(exact.pretrain, rel=1e-4)
    assert found["rest"] == pytest.approx(exact.finetune, rel=1e-4)


def test_a_component_that_anova_finds_negative_is_zero():
    y = np.array([[0.0, 1.0], [1.0, 0.0]])
    rows, _ = labels(2, 2)
    assert fit(y.ravel(), {"pretrain": rows}).variances["pretrain"] == pytest.approx(0, abs=1e-9)


def test_estimates_follow_the_units_of_the_score():
    y = table(5, 5, (0.03, 0.02, 0.01), seed=1).ravel()
    rows, columns = labels(5, 5)
    factors = {"pretrain": rows, "finetune": columns}
    one, hundred = fit(y, factors).variances, fit(100 * y + 3, factors).variances
    for name, value in one.items():
        assert hundred[name] == pytest.approx(1e4 * value, rel=1e-5)


def test_components_are_recovered_from_an_unbalanced_design_with_three_factors():
    generator = np.random.default_rng(11)
    sds = {"pretrain": 3.0, "head": 2.0, "order": 1.0}
    found = []
    for _ in range(60):
        effects = {name: generator.normal(0, sd, 12) for name, sd in sds.items()}
        runs = generator.integers(0, 12, size=(150, 3))
        y = generator.normal(0, 1.0, 150)
        factors = {}
        for place, name in enumerate(sds):
            y = y + effects[name][runs[:, place]]
            factors[name] = runs[:, place].tolist()
        found.append(fit(y, factors).variances)
    for name, sd in {**sds, "rest": 1.0}.items():
        estimates = np.array([one[name] for one in found])
        error = estimates.std(ddof=1) / len(estimates) ** 0.5
        assert estimates.mean() == pytest.approx(sd**2, abs=4 * error)


def test_what_cannot_be_told_apart_is_refused():
    y = [1.0, 2.0, 3.0, 5.0]
    with pytest.raises(ValueError, match="every run"):
        fit(y, {"pretrain": [0, 1, 2, 3]})
    with pytest.raises(ValueError, match="one level"):
        fit(y, {"pretrain": [0, 0, 0, 0]})
    with pytest.raises(ValueError, match="alike"):
        fit(y, {"pretrain": [0, 0, 1, 1], "order": [5, 5, 7, 7]})
    with pytest.raises(ValueError, match="the same"):
        fit([1.0, 1.0, 1.0, 1.0], {"pretrain": [0, 0, 1, 1]})


def test_equal_scores_have_no_components_whatever_their_variance_rounds_to():
    scores = [0.1] * 7
    assert np.var(scores) > 0
    with pytest.raises(ValueError, match="the same"):
        fit(scores, {"seed": [0, 0, 1, 1, 2, 2, 2]})
