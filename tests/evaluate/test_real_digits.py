"""The whole way from stored weights to scores, on real digits with built-in offers."""

import torch

from harness.api.cells import Cell, EvaluateWork, Limit, Seeds, SplitUse, Stage, Use
from harness.compute.weights import save_weights
from harness.compute.workbench import Workbench
from harness.evaluate.predict import predict
from harness.evaluate.predictions import read_predictions, write_predictions
from harness.evaluate.scoring import score


class OneFolder:
    def __init__(self, folder):
        self.folder = folder

    def path(self, key, name):
        return self.folder / f"{key}-{name}"


def use(noun, name, **settings):
    return Use(noun, name, name, settings, "")


def test_an_evaluate_cell_of_a_real_network_on_real_digits(tmp_path, catalogue):
    store = OneFolder(tmp_path)
    bench = Workbench(catalogue, store, torch.device("cpu"), tmp_path / "cache", offline=True)
    digits, cnn = use("dataset", "digits"), use("model", "cnn", norm="batch", width=4)
    train = SplitUse("train", digits, "", "train")
    shifted = SplitUse(
        "rotation-90", digits, "", "test", (use("shift", "rotation", degrees=90),), "rotation"
    )
    network = bench.network(cnn, train, seed=3)
    save_weights(store.path("finetune-1", "weights.safetensors"), dict(network.module.state_dict()))
    scores = (use("score", "accuracy"), use("score", "nll"))
    work = EvaluateWork(cnn, train, shifted, scores)
    cell = Cell(
        "evaluate-1", Stage.EVALUATE, "p", (Seeds(3, 0),), ("finetune-1",), work,
        limit=Limit(examples=100),
    )  # fmt: skip
    found = predict(cell, bench)

    upright = SplitUse("test", digits, "", "test")
    images = bench.split(upright, Limit(examples=100)).inputs["image"]
    turned = torch.rot90(images, 1, dims=(-2, -1)).float() / 255
    network.module.eval()
    with torch.no_grad():
        expected = network.module(image=(turned - 0.305) / 0.376)
    assert torch.allclose(torch.from_numpy(found.logits), expected, atol=1e-5)

    write_predictions(tmp_path / "predictions.parquet", found)
    again = read_predictions(tmp_path / "predictions.parquet")
    scored = score(again, scores, catalogue, shifted)
    right = (expected.argmax(dim=1).numpy() == found.targets).mean()
    assert scored.scores["accuracy"] == right
    assert scored.examples == 100
    assert again.examples.tolist() == sorted(set(again.examples.tolist()))
