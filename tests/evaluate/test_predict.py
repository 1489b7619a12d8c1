from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from harness.api.cells import Cell, EvaluateWork, Seeds, SplitUse, Stage, Use
from harness.api.data import InputSpec, Outline, Task
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.compute.splits import DeviceSplit
from harness.evaluate.predict import BATCH, predict

DATASET = Use("dataset", "toy", "toy", {}, "")
OTHER = Use("dataset", "other", "other", {}, "")
TRAIN = SplitUse("train", DATASET, "", "train")
TEST = SplitUse("test", DATASET, "", "test")


def bench_of(module, split, weights, spec, other_spec=None):
    outlines = {
        use.name: Outline(Task("classification", ("a", "b", "c")), {"x": found}, 1, {})
        for use, found in ((DATASET, spec), (OTHER, other_spec or spec))
    }
    return SimpleNamespace(
        device=torch.device("cpu"),
        outline=lambda use: outlines[use.dataset.name],
        blank=lambda model, train: Network(module=module, head=()),
        split=lambda use, limit, model: split,
        weights=lambda key: weights[key],
    )


def cell_of(split=TEST):
    model = Use("model", "toy", "toy", {}, "")
    work = EvaluateWork(model=model, train=TRAIN, split=split, scores=())
    return Cell("evaluate-1", Stage.EVALUATE, "p", (Seeds(0, 0),), ("finetune-1",), work)


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.drop(self.norm(x)))


def drawn_weights():
    generator = torch.Generator().manual_seed(0)
    drawn = {
        name: value if "num_batches" in name else torch.rand(value.shape, generator=generator)
        for name, value in Toy().state_dict().items()
    }
    return {"finetune-1": drawn}


def test_predictions_are_those_of_the_stored_weights_in_evaluation_mode():
    n = 2 * BATCH + 37
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(1))
    spec = InputSpec((4,), "float")
    split = DeviceSplit(
        "test", {"x": spec}, {"x": x}, torch.arange(n) % 3, torch.arange(n), torch.arange(n) % 2
    )
    module, weights = Toy(), drawn_weights()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = predict(cell_of(), bench_of(module, split, weights, spec))

    w = weights["finetune-1"]
    scale = w["norm.weight"] / (w["norm.running_var"] + 1e-5).sqrt()
    normed = (x - w["norm.running_mean"]) * scale + w["norm.bias"]
    assert np.allclose(found.logits, normed @ w["fc.weight"].T + w["fc.bias"], atol=1e-5)
    assert found.logits.dtype == np.float32
    assert found.targets.tolist() == [i % 3 for i in range(n)]
    assert found.groups.tolist() == [i % 2 for i in range(n)]
    assert found.examples.tolist() == list(range(n))
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


def test_gradients_can_still_be_taken_through_a_split_that_was_predicted():
    spec = InputSpec((4,), "float")
    split = DeviceSplit(
        "test", {"x": spec}, {"x": torch.rand(9, 4)}, torch.zeros(9).long(), torch.arange(9)
    )
    module = Toy()
    predict(cell_of(), bench_of(module, split, drawn_weights(), spec))
    module(**split.model_inputs(slice(0, 9))).sum().backward()
    assert module.fc.weight.grad is not None


def test_a_split_of_another_dataset_is_scaled_as_the_training_data_were():
    ours = InputSpec((1, 2, 2), mean=(0.25,), std=(0.5,))
    theirs = InputSpec((1, 2, 2), mean=(0.9,), std=(0.1,))
    images = torch.tensor([0, 255, 51, 102], dtype=torch.uint8).reshape(1, 1, 2, 2)
    use = SplitUse("far", OTHER, "", "test", shift="natural", parent="test")
    split = DeviceSplit("far", {"x": theirs}, {"x": images}, torch.tensor([0]), torch.arange(1))

    class Pixels(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return x.flatten(1)[:, :3] * self.w

    bench = bench_of(Pixels(), split, {"finetune-1": {"w": torch.ones(3)}}, ours, theirs)
    split.model_inputs(slice(0, 1))  # what others have seen of it does not count
    found = predict(cell_of(use), bench)
    assert found.logits[0].tolist() == pytest.approx([-0.5, 1.5, -0.1], abs=1e-6)


def test_inputs_of_another_shape_are_refused():
    ours, theirs = InputSpec((1, 8, 8)), InputSpec((1, 28, 28))
    images = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    split = DeviceSplit("far", {"x": theirs}, {"x": images}, torch.tensor([0]), torch.arange(1))
    use = SplitUse("far", OTHER, "", "test", shift="natural", parent="test")
    with pytest.raises(HarnessError, match=r"'far' has the inputs .*28.* the training data .*8, 8"):
        predict(cell_of(use), bench_of(Toy(), split, {}, ours, theirs))


def test_a_network_with_another_number_of_classes_is_refused():
    spec = InputSpec((4,), "float")
    split = DeviceSplit(
        "test", {"x": spec}, {"x": torch.rand(2, 4)}, torch.zeros(2).long(), torch.arange(2)
    )
    module = nn.Sequential(nn.Linear(4, 5))
    bench = bench_of(module, split, {"finetune-1": module.state_dict()}, spec)
    bench.blank = lambda model, train: Network(Renamed(module), head=())
    bench.weights = lambda key: Renamed(module).state_dict()
    with pytest.raises(HarnessError, match=r"expected logits \[n, 3\], got \[2, 5\]"):
        predict(cell_of(), bench)


class Renamed(nn.Module):
    """Takes the input by its name."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)
