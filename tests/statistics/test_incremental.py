import numpy as np
import pytest

from harness.statistics.incremental import gain, gain_interval, out_of_fold


def test_out_of_fold_r2_is_that_of_a_plain_loop():
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

    generator = np.random.default_rng(2)
    x = generator.normal(size=(3, 24))
    y = x[0] + generator.normal(size=24)
    groups = np.repeat(range(6), 4)
    predicted = cross_val_predict(LinearRegression(), x.T, y, groups=groups, cv=LeaveOneGroupOut())
    means = np.array([y[groups != group].mean() for group in groups])
    exact = 1 - ((y - predicted) ** 2).sum() / ((y - means) ** 2).sum()
    assert out_of_fold(x, y, groups.tolist()) == pytest.approx(exact)


def test_nothing_known_explains_nothing():
    y = np.arange(6.0)
    assert out_of_fold(np.empty((0, 6)), y, [0, 0, 1, 1, 2, 2]) == pytest.approx(0)


def test_a_predictor_that_only_marks_the_seed_gains_nothing_on_seeds_it_has_not_seen():
    """Fitted to all runs it would explain nearly everything."""
    generator = np.random.default_rng(3)
    seeds = generator.normal(size=8)
    y = np.repeat(seeds, 5) + 0.1 * generator.normal(size=40)
    mark = np.repeat(generator.normal(size=8), 5)
    groups = np.repeat(range(8), 5).tolist()
    assert gain(np.empty((0, 40)), mark, y, groups) < 0.1


def test_the_interval_of_a_true_gain_lies_above_zero():
    generator = np.random.default_rng(6)
    known, x = generator.normal(size=(2, 60))
    y = known + x + 0.3 * generator.normal(size=60)
    groups = np.repeat(range(12), 5).tolist()
    found = gain_interval(known[None], x, y, groups, generator, replicates=100)
    assert found.low > 0.1
    assert found.low < gain(known[None], x, y, groups) < found.high + 0.1


def test_one_group_has_none_to_be_predicted_from():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(2, 5))
    with pytest.raises(ValueError, match="two groups"):
        out_of_fold(x, x[0], [1] * 5)
