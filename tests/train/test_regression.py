"""Regression from the suite to scores and metrics."""

import pytest
import regression_scene
import torch
from training_scene import Shelf, a_cell, distance, use

from harness.api.cells import Cell, EvaluateWork, MeasureWork, Seeds, SplitUse, Stage
from harness.api.errors import HarnessError
from harness.compute.workbench import Workbench
from harness.evaluate.predict import predict
from harness.measure.pack import measure_pack
from harness.plug.discovery import discover
from harness.suite.opening import open_suite
from harness.train.pack import train_pack

TRAIN = SplitUse("train", use("dataset", "toy-slope"), "", "train")
FAR = SplitUse("far", TRAIN.dataset, "", "far", shift="place", parent="test")
LINE = use("model", "toy-line")
ADAM = use("method", "full", steps=300, lr=0.05)
SUITE = """
id: slope
version: "1"
model: toy-line
data: {dataset: toy-slope, batch: 32}
inits: [random]
methods: [{full: {steps: 5}}]
seeds: {pretrain: 2, finetune: 2}
scores: [%s]
metrics: [%s]
"""


@pytest.fixture
def bench(tmp_path):
    catalogue = discover(extra=["regression_scene"])
    return Workbench(catalogue, Shelf(tmp_path), torch.device("cpu"), tmp_path / "cache", True)


def a_run(seed=0, method=ADAM):
    return a_cell(seed, model=LINE, method=method, train=TRAIN, batch=32)


def test_the_slope_is_found(bench):
    (done,) = train_pack([a_run()], bench, print)
    assert done.weights["head.weight"][0].tolist() == pytest.approx([1.0, -2.0], abs=0.05)
    assert done.trained.losses[-1] < 0.03


def test_runs_alone_and_in_a_stack_agree(bench):
    method = use("method", "full", steps=20, lr=0.05, optimizer="sgd")
    cells = [a_run(seed, method) for seed in range(3)]
    for cell, packed in zip(cells, train_pack(cells, bench, print), strict=True):
        assert distance(train_pack([cell], bench, print)[0].weights, packed.weights) < 1e-5


def test_predictions_are_values_and_the_loss_of_metrics_is_the_squared_error(bench):
    runs = [a_run(seed) for seed in range(2)]
    for run in runs:
        bench.store.put(run.key, train_pack([run], bench, print)[0].weights)
    weights, keys = bench.weights(runs[0].key), tuple(run.key for run in runs)
    work = EvaluateWork(LINE, TRAIN, FAR, ())
    found = predict(Cell("e", Stage.EVALUATE, "p", (), keys[:1], work), bench)
    far = regression_scene.split_of("far")
    exact = far.inputs["x"] @ weights["head.weight"][0] + weights["head.bias"]
    assert torch.allclose(torch.from_numpy(found.values).float(), exact, atol=1e-5)
    assert found.targets.tolist() == far.targets.tolist()
    measured = MeasureWork(use("metric", "barrier"), "pair", LINE, TRAIN, (FAR,))
    cell = Cell("m", Stage.MEASURE, "p", (Seeds(0, 0), Seeds(0, 1)), keys, measured)
    ((_, reading),) = measure_pack([cell], bench)
    if isinstance(reading, Exception):
        raise reading
    (curve,) = [curve for curve in reading.curves if "loss" in curve.y]
    loss = float((exact.double() - far.targets.double()).square().mean())
    assert curve.y["loss"][0] == pytest.approx(loss, rel=1e-5)
    (height,) = [value.value for value in reading.values if value.name == "lerp-loss"]
    assert height == pytest.approx(0.0, abs=1e-6)  # a convex loss has no barrier


@pytest.mark.parametrize(
    ("scores", "metrics", "told"),
    [
        ("accuracy", "", "the score 'accuracy' is not for regression"),
        ("mse", "agreement", "the metric 'agreement' is for classification"),
    ],
)
def test_what_needs_classes_is_refused(tmp_path, scores, metrics, told):
    path = tmp_path / "slope.yaml"
    path.write_text(f"{SUITE % (scores, metrics)}plugins: [regression_scene]\n")
    with pytest.raises(HarnessError, match=told):
        open_suite(str(path))
