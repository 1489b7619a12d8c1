import pytest
import torch
from curved import bowl, dense_hessian, errors, network, values

from harness_landscape.hessian_top import HESSIAN_TOP
from harness_landscape.hessian_trace import HESSIAN_TRACE, HessianTraceSettings

BOTH = ["hutchinson", "hutch++"]
MODULES = {"one": slice(0, 144), "two": slice(144, 314)}


def trace(world, shared=None, **settings):
    return world.read(
        HESSIAN_TRACE, ["0"], HessianTraceSettings(per_module=True, **settings), shared
    )


@pytest.mark.parametrize("estimator", BOTH)
def test_traces_of_modules_are_those_of_the_blocks_of_the_dense_hessian(estimator):
    world = network()
    dense = dense_hessian(world).diagonal()
    reading = trace(world, estimator=estimator, least=200, most=200)
    for name, place in MODULES.items():
        error = errors(reading)[f"trace[{name}]"]
        assert 0 < error < 0.1 * float(dense.sum())
        assert abs(values(reading)[f"trace[{name}]"] - float(dense[place].sum())) < 4 * error


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("sketch", [1, 7, 30])
def test_they_sum_to_the_trace(estimator, sketch):
    reading = trace(network(), estimator=estimator, sketch=sketch)
    parts = sum(values(reading)[f"trace[{name}]"] for name in MODULES)
    assert parts == pytest.approx(values(reading)["trace"], rel=1e-9)


def test_a_sketch_of_the_whole_space_knows_them_exactly():
    world = network(count=20)
    exact = dense_hessian(world).diagonal()
    reading = trace(world, sketch=314)
    for name, place in MODULES.items():
        found = values(reading)[f"trace[{name}]"]
        assert found == pytest.approx(float(exact[place].sum()), rel=1e-3)
        assert errors(reading)[f"trace[{name}]"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("estimator", BOTH)
def test_they_take_no_further_products_and_change_no_other_number(estimator):
    world = network()
    plain = world.read(HESSIAN_TRACE, ["0"], HessianTraceSettings(estimator=estimator))
    shared = world.shared()
    world.read(HESSIAN_TOP, ["0"], None, shared)
    world.read(HESSIAN_TRACE, ["0"], HessianTraceSettings(estimator=estimator), shared)
    again = trace(world, shared, estimator=estimator)
    assert again.protocol["hessian_products"] == 0
    assert set(plain.values) < set(again.values)
    alone = trace(world, estimator=estimator)
    assert alone.protocol["hessian_products"] == plain.protocol["hessian_products"]
    assert alone.values == again.values


def test_a_network_that_holds_its_parameters_itself_is_one_module():
    reading = trace(bowl(3.0, 2.0, 1.0), least=8)
    assert values(reading)["trace[itself]"] == pytest.approx(values(reading)["trace"])


def test_a_diverged_run_has_none():
    world = network()
    world.runs["0"]["one.weight"].fill_(float("nan"))
    reading = trace(world)
    found = torch.tensor([values(reading)[f"trace[{name}]"] for name in MODULES])
    assert bool(found.isnan().all())
