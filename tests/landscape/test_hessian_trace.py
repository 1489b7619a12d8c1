import pytest
import torch
from curved import bowl, dense_hessian, errors, network, values

from harness.api.errors import HarnessError
from harness_landscape.hessian_density import HESSIAN_DENSITY, HessianDensitySettings
from harness_landscape.hessian_top import HESSIAN_TOP
from harness_landscape.hessian_trace import HESSIAN_TRACE, HessianTraceSettings

BOTH = ["hutchinson", "hutch++"]
SPECTRUM = [20.0, 8.0, 3.0, -2.0, *[n / 40 for n in range(36)]]


def trace(world, run="0", shared=None, **settings):
    return world.read(HESSIAN_TRACE, [run], HessianTraceSettings(**settings), shared=shared)


@pytest.mark.parametrize("estimator", BOTH)
def test_it_is_unbiased_and_its_standard_error_is_the_spread_that_is_seen(estimator):
    world = bowl(*SPECTRUM, runs=80)
    shared = world.shared()
    fixed = {"estimator": estimator, "sketch": 6, "least": 20, "most": 20}
    readings = [trace(world, str(run), shared, **fixed) for run in range(80)]
    found = torch.tensor([values(reading)["trace"] for reading in readings])
    said = torch.tensor([errors(reading)["trace"] for reading in readings])
    assert abs(found.mean() - sum(SPECTRUM)) < 4 * found.std() / 80**0.5
    assert float(said.square().mean().sqrt()) == pytest.approx(float(found.std()), rel=0.25)


@pytest.mark.parametrize("estimator", BOTH)
def test_a_network_has_the_trace_of_its_dense_hessian(estimator):
    world = network()
    exact = float(dense_hessian(world).trace())
    reading = trace(world, estimator=estimator, most=2000)
    assert reading.converged
    error = errors(reading)["trace"]
    assert error <= 0.02 * abs(values(reading)["trace"])
    assert abs(values(reading)["trace"] - exact) < 4 * error
    assert values(reading)["mean-eigenvalue"] == pytest.approx(values(reading)["trace"] / 314)


def test_a_space_that_takes_the_outliers_saves_products():
    world = network()
    plain, split = (trace(world, estimator=estimator, most=2000) for estimator in BOTH)
    assert values(split)["products"] < values(plain)["products"] / 2
    assert split.protocol["hessian_products"] == values(split)["products"] <= 100


def test_sampling_goes_on_until_the_standard_error_is_small_not_until_the_mean_stands_still():
    world = bowl(5.0, -4.0, 3.0, 0.5, 0.2, 0.1, runs=12)
    wrong = []
    for run in range(12):
        reading = trace(world, str(run), estimator="hutchinson", tolerance=0.15, most=2000)
        assert errors(reading)["trace"] <= 0.15 * abs(values(reading)["trace"])
        wrong.append(values(reading)["trace"] / 4.8 - 1)
    assert float(torch.tensor(wrong).square().mean().sqrt()) < 0.3
    tight = trace(world, estimator="hutchinson", tolerance=0.01, most=100)
    assert not tight.converged
    assert values(tight)["samples"] == 100


def test_a_trace_of_zero_is_never_known_relative_to_itself():
    reading = trace(bowl(3.0, -3.0, 1.0, -1.0), estimator="hutchinson", most=40)
    assert not reading.converged
    assert values(reading)["samples"] == 40


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_equal_eigenvalues_leave_nothing_to_chance(estimator, value):
    reading = trace(bowl(*[value] * 20), estimator=estimator)
    assert values(reading)["trace"] == pytest.approx(20 * value)
    assert errors(reading)["trace"] == pytest.approx(0, abs=1e-9)
    assert values(reading)["samples"] == 8
    assert reading.converged


def test_a_diagonal_is_no_special_case():
    readings = [
        trace(bowl(*SPECTRUM, rotated=rotated), estimator="hutchinson", least=100)
        for rotated in (True, False)
    ]
    assert all(errors(reading)["trace"] > 0.1 for reading in readings)


def test_a_space_of_all_parameters_takes_no_sample_beyond_it():
    settings = HessianTraceSettings(sketch=20)
    reading = bowl(*range(1, 13)).read(HESSIAN_TRACE, ["0"], settings)
    assert values(reading)["trace"] == pytest.approx(78)
    assert values(reading)["products"] == reading.protocol["hessian_products"] == 12


def test_one_parameter_has_its_eigenvalue_as_trace():
    reading = trace(bowl(3.0))
    assert values(reading)["trace"] == pytest.approx(3.0)


def test_a_short_last_batch_weighs_as_many_examples_as_it_has():
    from harness.measure.scene import Budget

    whole, parts = (trace(network(budget=budget)) for budget in (Budget(), Budget(8000, 0)))
    assert values(whole)["trace"] == pytest.approx(values(parts)["trace"], rel=1e-4)


def test_top_trace_and_density_share_their_products_in_any_order():
    world = network(count=20)
    orders = [
        (HESSIAN_TOP, None),
        (HESSIAN_TRACE, HessianTraceSettings(tolerance=0.05)),
        (HESSIAN_DENSITY, HessianDensitySettings(runs=6, steps=30)),
    ]
    together_cost_little_more_than_the_dearest_alone(world, orders)


@pytest.mark.slow
def test_by_default_top_trace_and_density_together_cost_little_more_than_the_dearest_alone():
    orders = [(HESSIAN_TOP, None), (HESSIAN_TRACE, None), (HESSIAN_DENSITY, None)]
    together_cost_little_more_than_the_dearest_alone(network(), orders)


def together_cost_little_more_than_the_dearest_alone(world, orders):
    alone = [world.read(offer, ["0"], settings) for offer, settings in orders]
    products = [reading.protocol["hessian_products"] for reading in alone]
    for order in (orders, orders[::-1]):
        shared = world.shared()
        together = [world.read(offer, ["0"], settings, shared) for offer, settings in order]
        assert sum(r.protocol["hessian_products"] for r in together) <= 1.2 * max(products)
        found = {id(pair[0]): reading for pair, reading in zip(order, together, strict=True)}
        for (offer, _), reading in zip(orders, alone, strict=True):
            assert reading.values == found[id(offer)].values


def test_a_diverged_run_has_no_trace_and_stops_at_once():
    world = network()
    world.runs["0"]["one.weight"].fill_(float("nan"))
    reading = trace(world)
    assert values(reading)["trace"] != values(reading)["trace"]
    assert not reading.converged
    assert values(reading)["samples"] == 8


def test_it_reads_training_data_and_refuses_ood():
    world = network()
    assert trace(world).protocol["access"] == "train"
    assert trace(world, split="test").protocol["access"] == "id"
    with pytest.raises(HarnessError, match="ood-far"):
        trace(world, split="ood-far")
