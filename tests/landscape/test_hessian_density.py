import pytest
import torch
from curved import bowl, dense_hessian, errors, network, values

from harness.measure.scene import Budget
from harness.testing.scenes import World
from harness_landscape.hessian_density import HESSIAN_DENSITY, HessianDensitySettings


def density(world, run="0", shared=None, **settings):
    return world.read(HESSIAN_DENSITY, [run], HessianDensitySettings(**settings), shared=shared)


def integral(curve, low=-1e9, high=1e9):
    width = curve.x[1] - curve.x[0]
    pairs = zip(curve.x, curve.y["density"], strict=True)
    return sum(y * width for x, y in pairs if low < x < high)


SPECTRUM = [20.0, 12.0, 6.0, 3.0, 2.0, -1.0, *[n / 100 + 0.005 for n in range(10)]]


def test_the_curve_has_the_integral_one_and_the_mean_of_the_spectrum():
    curve = density(bowl(*SPECTRUM)).curves[0]
    assert integral(curve) == pytest.approx(1, abs=1e-5)
    width = curve.x[1] - curve.x[0]
    pairs = zip(curve.x, curve.y["density"], strict=True)
    reading = density(bowl(*SPECTRUM))
    assert sum(x * y * width for x, y in pairs) * 16 == pytest.approx(
        values(reading)["trace"], rel=1e-3
    )


def test_values_are_unbiased_and_their_standard_errors_are_the_spread_that_is_seen():
    world = bowl(*SPECTRUM, runs=60)
    shared = world.shared()
    readings = [density(world, str(run), shared, runs=5) for run in range(60)]
    exact = {"near-zero": 10 / 16, "negative": 1 / 16, "trace": sum(SPECTRUM), "negative-sum": 1.0}
    exact["above-edge"] = 4
    for name, truth in exact.items():
        found = torch.tensor([values(reading)[name] for reading in readings])
        said = torch.tensor([errors(reading)[name] for reading in readings])
        assert abs(found.mean() - truth) < 4 * found.std() / 60**0.5, name
        assert float(said.square().mean().sqrt()) == pytest.approx(float(found.std()), rel=0.3)


def test_the_shape_of_a_known_spectrum_is_read_exactly():
    found = values(density(bowl(*SPECTRUM)))
    assert found["outliers"] == 4  # 20, 12, 6, 3 are above a tenth of 20
    assert found["largest"] == pytest.approx(20)
    assert found["smallest"] == pytest.approx(-1)
    assert found["first-to-fifth"] == pytest.approx(10)


def test_the_effective_rank_is_that_of_the_spectrum():
    spectrum = torch.tensor(SPECTRUM)
    rank = float(spectrum.sum() ** 2 / (spectrum**2).sum())
    reading = density(bowl(*SPECTRUM), runs=60)
    error = errors(reading)["effective-rank"]
    assert abs(values(reading)["effective-rank"] - rank) < 4 * error < 0.5 * rank


@pytest.mark.parametrize("value", [2.0, -2.0])
def test_equal_eigenvalues_are_one_peak(value):
    reading = density(bowl(*[value] * 30))
    found = values(reading)
    assert found["trace"] == pytest.approx(30 * value)
    assert found["effective-rank"] == pytest.approx(30)
    assert found["outliers"] == (1 if value > 0 else 0)
    assert found["negative"] == pytest.approx(1.0 if value < 0 else 0.0)
    assert integral(reading.curves[0], value - 0.2, value + 0.2) == pytest.approx(1, abs=1e-3)


def test_a_flat_loss_has_all_of_its_mass_at_zero():
    reading = density(bowl(*[0.0] * 30))
    assert values(reading)["near-zero"] == pytest.approx(1)
    assert values(reading)["outliers"] == 0
    assert integral(reading.curves[0]) == pytest.approx(1, abs=1e-5)


def test_two_clusters_share_the_mass():
    reading = density(bowl(*[1.0] * 30, *[5.0] * 30), runs=60)
    assert integral(reading.curves[0], 0.5, 1.5) == pytest.approx(0.5, abs=0.06)
    assert integral(reading.curves[0], 4.5, 5.5) == pytest.approx(0.5, abs=0.06)
    assert values(reading)["outliers"] == 2  # distinct ones


def test_rank_one_is_one_outlier_and_mass_at_zero():
    found = values(density(bowl(7.0, *[0.0] * 39)))
    assert found["outliers"] == 1
    assert found["largest"] == pytest.approx(7)
    assert found["near-zero"] == pytest.approx(1 - 1 / 40, abs=0.05)


def test_more_steps_than_parameters_invent_no_eigenvalues():
    reading = density(bowl(1.0, 2.0, 3.0, 4.0, 5.0, 6.0), steps=100)
    assert reading.protocol["steps"] == [6] * 10
    assert values(reading)["smallest"] == pytest.approx(1)
    assert values(reading)["largest"] == pytest.approx(6)


def test_one_outlier_is_counted_once_however_many_steps():
    spectrum = [100.0, *[n / 100 for n in range(59)]]
    assert values(density(bowl(*spectrum), steps=60, runs=1))["outliers"] == 1


def test_counts_are_the_same_however_few_vectors_of_a_space_fit_in_memory():
    spectrum = [10 * 0.8**n for n in range(10)] + [n / 200 for n in range(50)]
    plain = bowl(*spectrum)
    little = World(
        plain.module, plain.splits, plain.runs, plain.objective, Budget(basis=10 * 60 * 8)
    )
    whole, found = (values(density(world, runs=1, steps=50)) for world in (plain, little))
    assert whole["outliers"] == 10
    assert found["outliers"] == whole["outliers"]
    assert found["first-to-fifth"] == pytest.approx(0.8**-4)


def test_a_scaled_loss_has_a_scaled_density():
    one, thousand = (density(bowl(*[s * x for x in SPECTRUM])) for s in (1.0, 1000.0))
    for name in ("near-zero", "negative", "outliers", "effective-rank", "first-to-fifth"):
        assert values(one)[name] == pytest.approx(values(thousand)[name], rel=1e-6)
    assert thousand.curves[0].x == pytest.approx([1000 * x for x in one.curves[0].x])


def test_a_network_has_the_density_of_its_dense_hessian():
    world = network(count=40)
    exact = torch.linalg.eigvalsh(dense_hessian(world))
    reading = density(world, runs=6, steps=40)
    found, said = values(reading), errors(reading)
    zero = 0.01 * float(exact.abs().max())
    moments = {"trace": exact.sum(), "negative-sum": -exact.clamp(max=0).sum()}
    moments["effective-rank"] = exact.sum() ** 2 / (exact**2).sum()
    for name, truth in moments.items():
        assert abs(found[name] - float(truth)) < 4 * said[name] + 1e-3
    assert found["near-zero"] == pytest.approx(
        float((exact.abs() <= zero).double().mean()), abs=0.1
    )
    assert found["largest"] == pytest.approx(float(exact.max()), rel=1e-4)
    above = int((exact > 0.1 * exact.max()).sum())
    assert abs(found["above-edge"] - above) < 4 * said["above-edge"]
    assert 5 <= found["outliers"] <= above  # what stands apart is found, not yet all of the bulk


def test_a_single_vector_has_no_standard_error():
    reading = density(bowl(*SPECTRUM), runs=1)
    assert errors(reading)["trace"] is None


def test_a_diverged_run_has_no_density():
    world = network()
    world.runs["0"]["one.weight"].fill_(float("nan"))
    reading = density(world, runs=2)
    assert values(reading)["trace"] != values(reading)["trace"]
    assert not reading.converged
    assert reading.curves == ()
