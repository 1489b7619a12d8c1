"""Models with habits of their own get right numbers, or a clear line; nobody else notices them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from training_scene import Shelf, a_cell, distance, same, split_use, use

from harness.api.cells import Cell, EvaluateWork, MeasureWork, SplitUse, Stage
from harness.api.errors import HarnessError
from harness.compute.workbench import Workbench
from harness.evaluate.predict import predict
from harness.measure.pack import measure_pack
from harness.plug.discovery import discover
from harness.train.calibrate import calibrate
from harness.train.pack import train_pack

TEST = SplitUse("test", use("dataset", "digits"), "", "test")
SGD = use("method", "full", steps=12, lr=0.05, optimizer="sgd")


@pytest.fixture
def bench(tmp_path):
    catalogue = discover(extra=["strange_models"])
    return Workbench(catalogue, Shelf(tmp_path), torch.device("cpu"), tmp_path / "cache", True)


def runs_of(name):
    return [a_cell(seed, model=use("model", name), method=SGD) for seed in range(2)]


def evaluation(run):
    work = EvaluateWork(run.work.model, split_use(), TEST, ())
    return Cell("evaluation", Stage.EVALUATE, "random", run.seeds, (run.key,), work)


def barrier(runs):
    work = MeasureWork(use("metric", "barrier"), "pair", runs[0].work.model, split_use(), (TEST,))
    seeds, keys = zip(*((run.seeds[0], run.key) for run in runs), strict=True)
    return Cell("barrier", Stage.MEASURE, "random", seeds, keys, work)


def stored(runs, bench):
    trainings = [train_pack([run], bench, print)[0] for run in runs]
    for run, training in zip(runs, trainings, strict=True):
        bench.store.put(run.key, training.weights)
    return trainings


def values(reading):
    if isinstance(reading, Exception):
        raise reading
    return {value.name: value.value for value in reading.values}


def test_a_mask_of_minus_infinity_is_no_divergence_and_no_hole_in_a_line(bench):
    runs = runs_of("masked")
    assert [training.outcome for training in stored(runs, bench)] == ["ok", "ok"]
    assert [training.outcome for training in train_pack(runs, bench, print)] == ["ok", "ok"]
    ((_, reading),) = measure_pack([barrier(runs)], bench)
    assert all(np.isfinite(value) for value in values(reading).values())


def test_a_model_that_works_in_place_does_not_change_the_data(bench):
    runs = runs_of("in-place")
    stored(runs, bench)
    before = predict(evaluation(runs[0]), bench).logits
    readings = [values(next(measure_pack([barrier(runs)], bench))[1]) for _ in range(2)]
    assert readings[0] == readings[1]
    assert np.array_equal(before, predict(evaluation(runs[0]), bench).logits)


@pytest.mark.parametrize("name", ["masked", "in-place", "unsaved", "shared"])
def test_predictions_are_those_of_the_trained_module_itself(bench, name):
    runs = runs_of(name)
    stored(runs, bench)
    for run in runs:
        module = bench.network(run.work.model, split_use(), 9).module.eval()
        module.load_state_dict(bench.weights(run.key))
        images = bench.split(TEST).model_inputs(torch.arange(539))
        with torch.no_grad():
            expected = module(**images).numpy()
        assert np.allclose(predict(evaluation(run), bench).logits, expected, atol=1e-6)


def test_modules_that_stand_in_two_places_are_trained_and_measured_like_others(bench):
    runs = runs_of("shared")
    alone = stored(runs, bench)
    packed = train_pack(runs, bench, print)
    for one, other in zip(alone, packed, strict=True):
        assert other.trained.pack == 2
        assert one.weights.keys() == other.weights.keys()
        assert distance(one.weights, other.weights) < 1e-5
    blank = bench.blank(runs[0].work.model, split_use()).module
    before = {name: tensor.clone() for name, tensor in blank.state_dict().items()}
    ((_, reading),) = measure_pack([barrier(runs)], bench)
    assert values(reading)["frankle-error"] >= 0
    assert same(before, blank.state_dict())


@pytest.mark.parametrize(
    ("name", "told"), [("noisy", "torch's random state"), ("always-drops", "in evaluation mode")]
)
def test_draws_that_no_stream_can_be_given_to_are_refused(bench, name, told):
    before = torch.get_rng_state()
    with pytest.raises(HarnessError, match=told):
        train_pack(runs_of(name)[:1], bench, print)
    assert torch.equal(before, torch.get_rng_state())


def test_a_model_that_vmap_turns_out_to_refuse_is_timed_alone(bench):
    assert list(calibrate(runs_of("branches"), bench, 1)) == ["1"]


def test_a_shift_that_works_in_place_leaves_the_data_set_as_it_is(bench):
    before = bench.split(TEST).inputs["image"].clone()
    shifted = bench.split(replace(TEST, name="dark", by=(use("shift", "in-place"),), shift="x"))
    assert torch.equal(shifted.inputs["image"], before // 2)
    assert torch.equal(bench.split(TEST).inputs["image"], before)


def test_a_model_that_keeps_what_it_computed_can_be_trained_after_it_was_measured(bench):
    runs = runs_of("remembers")
    first = stored(runs, bench)
    work = MeasureWork(use("metric", "hessian-top"), "point", runs[0].work.model, split_use(), ())
    cell = Cell("top", Stage.MEASURE, "random", runs[0].seeds, (runs[0].key,), work)
    assert values(next(measure_pack([cell], bench))[1])["eigenvalue-1"] > 0
    for pack in (runs[:1], runs):
        again = train_pack(pack, bench, print)
        assert distance(again[0].weights, first[0].weights) < 1e-5


@pytest.mark.parametrize("pack", [1, 2])
def test_what_a_model_itself_froze_is_not_trained(bench, pack):
    runs = runs_of("frozen")[:pack]
    start = bench.network(runs[0].work.model, split_use(), 0).module.state_dict()
    weights = train_pack(runs, bench, print)[0].weights
    assert torch.equal(weights["body.weight"], start["body.weight"])
    assert not torch.equal(weights["head.weight"], start["head.weight"])
