"""bfloat16 on text: masks of -inf, dropout inside attention and losses over tokens stay numbers."""

import pytest
import torch
from training_scene import Shelf, a_cell, use

from harness.api.cells import SplitUse
from harness.compute.workbench import Workbench
from harness.plug.discovery import discover
from harness.train.pack import train_pack

METHOD = use("method", "full", steps=30, lr=0.01)
MODELS = {
    "writer": (use("model", "toy-writer"), "toy-prose"),
    "decoder": (use("model", "toy-writer", objective="next-token"), "toy-prose"),
    "reader": (use("model", "toy-writer"), "toy-sentences"),
    "sdpa": (use("model", "toy-encoder"), "toy-sentences"),
    "eager": (use("model", "toy-encoder", attention="eager"), "toy-sentences"),
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    catalogue = discover(extra=["language_scene"])
    return Workbench(catalogue, Shelf(folder), torch.device("cpu"), folder / "cache", True)


@pytest.mark.parametrize("pack", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_it_trains_as_float32_does_to_rounding_and_keeps_float32_weights(texts, name, pack):
    model, data = MODELS[name]
    train = SplitUse("train", use("dataset", data), "", "train")

    def trained(precision):
        cells = [
            a_cell(seed, model=model, method=METHOD, train=train, batch=16, precision=precision)
            for seed in range(pack)
        ]
        return train_pack(cells, texts, print)

    for half, full in zip(trained("bfloat16"), trained("float32"), strict=True):
        assert half.outcome == "ok"
        assert half.trained.pack == pack
        assert half.trained.losses[:5] == pytest.approx(full.trained.losses[:5], abs=0.03)
        assert half.trained.losses != full.trained.losses
        assert all(t.dtype == torch.float32 for t in half.weights.values() if t.is_floating_point())
