"""`torch.compile`: the same numbers to rounding, dropout included, or one clear line."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from training_scene import Shelf, a_cell, distance, open_bench, use

from harness.api.cells import SplitUse
from harness.api.errors import HarnessError
from harness.compute.embedding import gather_gradients
from harness.compute.workbench import Workbench
from harness.plug.discovery import discover
from harness.train.compiling import forward_of
from harness.train.course import course_of
from harness.train.pack import train_pack

METHOD = use("method", "full", steps=4, lr=0.1, optimizer="sgd")
MLP = use("model", "mlp", hidden=[16], dropout=0.3)


@pytest.fixture
def compiling(tmp_path):
    bench = open_bench(tmp_path)
    bench.compiled = True
    return bench


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_a_compiled_run_is_the_run_to_rounding_dropout_and_all(bench, compiling):
    cells = [a_cell(seed, model=MLP, method=METHOD) for seed in range(2)]
    for cell, faster in zip(cells, train_pack(cells, compiling, print), strict=True):
        (plain,) = train_pack([cell], bench, print)
        assert (faster.trained.compiled, plain.trained.compiled) == (True, False)
        assert faster.trained.pack == 1
        assert distance(faster.weights, plain.weights) < 1e-5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_text_is_compiled_for_all_lengths(tmp_path, monkeypatch):
    """Also where gradients of tables are gathered by a function of our own."""
    gather = partial(gather_gradients, least=1)
    monkeypatch.setattr("harness.train.alone.gather_gradients", gather)
    catalogue = discover(extra=["language_scene"])
    bench = Workbench(catalogue, Shelf(tmp_path), torch.device("cpu"), tmp_path / "cache", True)
    train = SplitUse("train", use("dataset", "toy-sentences"), "", "train")
    model = use("model", "toy-writer")
    method = use("method", "full", steps=6, lr=0.1, optimizer="sgd", accumulate=2)
    cell = a_cell(model=model, method=method, train=train, batch=16)
    (plain,) = train_pack([cell], bench, print)
    bench.compiled = True
    (faster,) = train_pack([cell], bench, print)
    assert faster.trained.compiled
    assert distance(faster.weights, plain.weights) < 1e-5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.parametrize("model", ["tiny-bert", "tiny-lm"])
def test_layers_of_transformers_are_compiled_with_their_dropout(tmp_path, model):
    catalogue = discover(extra=["language_scene"])
    bench = Workbench(catalogue, Shelf(tmp_path), torch.device("cpu"), tmp_path / "cache", True)
    small = use("model", model, layers=1, width=16, heads=2, longest=32, dropout=0.1)
    train = SplitUse("train", use("dataset", "toy-sentences"), "", "train")
    method = use("method", "full", steps=4, lr=0.1, optimizer="sgd")
    cell = a_cell(model=small, method=method, train=train, batch=16)
    (plain,) = train_pack([cell], bench, print)
    bench.compiled = True
    (faster,) = train_pack([cell], bench, print)
    assert faster.trained.compiled
    assert distance(faster.weights, plain.weights) < 1e-5


def test_compiled_runs_are_trained_one_at_a_time(compiling):
    assert not course_of(a_cell(model=MLP, method=METHOD), compiling).stackable


def test_what_is_computed_again_is_not_compiled(compiling):
    course = course_of(a_cell(model=MLP, method=METHOD), compiling)
    course = replace(course, network=replace(course.network, recomputed=("0",)))
    with pytest.raises(HarnessError, match="computes activations again, which is not compiled"):
        forward_of(course.module(), course)


def test_what_cannot_be_compiled_says_so_in_one_line(compiling, monkeypatch):
    from torch._dynamo.exc import TorchDynamoException

    def broken(*args, **kwargs):
        raise TorchDynamoException("no working C++ compiler\nmore")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: broken)
    course = course_of(a_cell(model=MLP, method=METHOD), compiling)
    called = forward_of(course.module(), course)
    with pytest.raises(HarnessError, match="'mlp' cannot be compiled here: no working C"):
        called(image=torch.zeros(1))
