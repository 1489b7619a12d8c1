import numpy as np
import pytest
from scipy.spatial import ConvexHull

from harness.statistics.transfer import fit_scaling, lower_hull, scaling_draws


def law(x):
    return 0.7 * x**1.8 + 0.05


def test_points_on_the_law_give_it_back():
    x = np.linspace(0.1, 0.9, 15)
    found = fit_scaling(x, law(x))
    assert (found.k, found.alpha, found.e_inf) == pytest.approx((0.7, 1.8, 0.05), rel=1e-5)
    assert found.hull == tuple(range(15))
    assert found.predict(x) == pytest.approx(law(x))


def test_points_above_the_hull_change_nothing():
    x = np.linspace(0.1, 0.9, 15)
    worse = np.random.default_rng(0).uniform(0.01, 0.2, 15)
    found = fit_scaling(np.concatenate([x, x]), np.concatenate([law(x), law(x) + worse]))
    assert found.alpha == pytest.approx(1.8, rel=1e-5)
    assert max(found.hull) < 15


def test_the_lower_hull_is_that_of_scipy():
    generator = np.random.default_rng(1)
    points = generator.random((60, 2))
    whole = ConvexHull(points)
    lower = {i for simplex, side in zip(whole.simplices, whole.equations[:, 1], strict=True)
             if side < 0 for i in simplex}  # fmt: skip
    assert set(lower_hull(*points.T)) == lower


def test_a_saturated_downstream_task_has_an_asymptote_and_the_draws_spread_around_it():
    generator = np.random.default_rng(2)
    x = np.linspace(0.05, 0.9, 40)
    y = law(x) + np.abs(generator.normal(0, 0.004, 40))
    draws = scaling_draws(x, y, generator, replicates=60)
    low, high = np.quantile([draw.e_inf for draw in draws], [0.01, 0.99])
    assert low < 0.055 < high + 0.01
    assert high - low < 0.05


def test_too_few_points_on_the_hull_are_refused():
    with pytest.raises(ValueError, match="four"):
        fit_scaling(np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.15, 0.3]))
    with pytest.raises(ValueError, match="shares"):
        fit_scaling(np.array([0.0, 0.2, 0.3, 0.4]), np.array([0.1, 0.15, 0.3, 0.4]))
