"""Small things that several rooms use."""

import pytest
import torch

from harness.api.errors import HarnessError
from harness.compute.device import autocast, choose_device
from harness.compute.losses import cross_entropy, errors
from harness.compute.weights import load_weights, save_weights


def test_losses_of_a_stack_are_those_of_its_members():
    logits = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(5) % 3
    exact = -logits.log_softmax(-1)[:, torch.arange(5), targets]
    torch.testing.assert_close(cross_entropy(logits, targets), exact)


def test_a_prediction_that_is_not_finite_is_an_error():
    logits = torch.tensor([[2.0, 1.0], [1.0, 2.0], [torch.nan, torch.nan], [torch.inf, 0.0]])
    assert errors(logits, torch.tensor([0, 0, 0, 0])).tolist() == [0.0, 1.0, 1.0, 1.0]


def test_weights_survive_the_way_to_disk_tied_or_strided_or_integer(tmp_path):
    tied = torch.arange(6.0).reshape(2, 3)
    weights = {"a": tied, "b": tied, "t": tied.T, "n": torch.tensor(3)}
    save_weights(tmp_path / "w.safetensors", weights)
    back = load_weights(tmp_path / "w.safetensors")
    assert back.keys() == weights.keys()
    assert all(torch.equal(back[name], weights[name]) for name in weights)


def test_a_file_that_holds_no_weights_is_named(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"nonsense")
    with pytest.raises(HarnessError, match=r"w\.safetensors: not a readable"):
        load_weights(tmp_path / "w.safetensors")


def test_a_device_that_is_not_there_is_an_error():
    assert choose_device("cpu") == torch.device("cpu")
    with pytest.raises(HarnessError, match="unknown device 'toaster'"):
        choose_device("toaster")
    if not torch.cuda.is_available():
        with pytest.raises(HarnessError, match="no device 'cuda'"):
            choose_device("cuda")


def test_bfloat16_rounds_products_and_float32_does_not():
    a = torch.full((1, 1), 1.001)
    with autocast("float32", torch.device("cpu")):
        assert (a @ a).dtype == torch.float32
    with autocast("bfloat16", torch.device("cpu")):
        assert (a @ a).dtype == torch.bfloat16
    with (
        pytest.raises(HarnessError, match="unknown precision 'int4'"),
        autocast("int4", torch.device("cpu")),
    ):
        pass
