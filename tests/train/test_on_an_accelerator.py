"""The same promises on CUDA, where rounding differs more: tolerance 1e-3 after 12 steps."""

from dataclasses import replace

import pytest
import torch
from training_scene import a_cell, distance, open_bench, use

from harness.train.calibrate import calibrate
from harness.train.course import course_of
from harness.train.pack import train_pack

pytestmark = pytest.mark.gpu
SGD = use("method", "full", steps=12, lr=0.05, optimizer="sgd", momentum=0.9, clip=1.0)
MODELS = {
    "mlp": use("model", "mlp", hidden=[16], dropout=0.3, norm="batch"),
    "cnn": use("model", "cnn", width=4, dropout=0.3),
    "transformer": use("model", "toy-transformer"),
}


@pytest.mark.parametrize("name", MODELS)
def test_on_cuda_a_pack_of_8_agrees_with_runs_alone_and_with_the_cpu(tmp_path, bench, name):
    cuda = open_bench(tmp_path, "cuda")
    augment = (use("shift", "noise", sd=0.2),)
    cells = [a_cell(s, model=MODELS[name], method=SGD, augment=augment) for s in range(8)]
    pack = train_pack(cells, cuda, print)
    for cell, packed in zip(cells[:3], pack, strict=False):
        assert distance(train_pack([cell], cuda, print)[0].weights, packed.weights) < 1e-3
        assert distance(train_pack([cell], bench, print)[0].weights, packed.weights) < 1e-3


@pytest.mark.parametrize("pack", [1, 4])
def test_bfloat16_trains_on_cuda_and_keeps_float32_weights(tmp_path, pack):
    cuda = open_bench(tmp_path, "cuda")
    method = use("method", "full", steps=60, lr=0.01)
    cells = [
        a_cell(s, model=MODELS["cnn"], method=method, precision="bfloat16") for s in range(pack)
    ]
    for training in train_pack(cells, cuda, print):
        assert training.trained.losses[-1] < 0.6 * training.trained.losses[0]
        assert all(t.dtype != torch.bfloat16 for t in training.weights.values())


def test_calibration_on_cuda_finds_stacks_faster_than_runs_alone(tmp_path):
    cuda = open_bench(tmp_path, "cuda")
    timings = calibrate([a_cell(seed, model=MODELS["mlp"]) for seed in range(32)], cuda, workers=1)
    assert min(timings.values()) < 0.5 * timings["1"]


def test_on_cuda_what_is_computed_again_drops_the_same(tmp_path, monkeypatch):
    """Autograd runs there in a thread of its own."""
    cuda = open_bench(tmp_path, "cuda")
    cell = a_cell(model=use("model", "toy-bert"), method=SGD)
    course = course_of(cell, cuda)
    (kept,) = train_pack([cell], cuda, print)
    network = replace(course.network, recomputed=("bert.bert.encoder.layer.0",))
    monkeypatch.setattr("harness.train.pack.course_of", lambda *_: replace(course, network=network))
    (anew,) = train_pack([cell], cuda, print)
    assert distance(kept.weights, anew.weights) < 1e-5
