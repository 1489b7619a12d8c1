"""Activations computed again are those of the first time, with all that was dropped."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from training_scene import a_cell, same, use

from harness.api.errors import HarnessError
from harness.train.course import course_of
from harness.train.pack import train_pack
from harness.train.recompute import recompute

METHOD = use("method", "full", steps=3, lr=0.1, optimizer="sgd", clip=1.0)
BLOCKS = {
    "toy-bert": ("bert.bert.encoder.layer.0", "bert.bert.encoder.layer.1"),
    "toy-transformer": ("block",),
}


def trained(bench, monkeypatch, cell, recomputed):
    """Weights, and how often a block was run."""
    course, runs = course_of(cell, bench), []

    def watched():
        module = course.module()
        for name in BLOCKS[cell.work.model.name]:
            part = module.get_submodule(name)
            part.forward = counted(part.forward, runs)
        return module

    network = replace(course.network, recomputed=recomputed)
    with monkeypatch.context() as patch:
        changed = replace(course, network=network, module=watched)
        patch.setattr("harness.train.pack.course_of", lambda *_: changed)
        (training,) = train_pack([cell], bench, print)
    return training.weights, len(runs)


def counted(forward, runs):
    def run(*args, **kwargs):
        runs.append(1)
        return forward(*args, **kwargs)

    return run


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", BLOCKS)
@pytest.mark.parametrize("parts", [1, 3])
def test_weights_are_bit_equal_with_and_without(bench, monkeypatch, model, precision, parts):
    method = replace(METHOD, settings={**METHOD.settings, "accumulate": parts})
    cell = a_cell(model=use("model", model), method=method, batch=8, precision=precision)
    blocks = BLOCKS[model]
    kept, once = trained(bench, monkeypatch, cell, ())
    anew, twice = trained(bench, monkeypatch, cell, blocks)
    assert (once, twice) == (3 * parts * len(blocks), 6 * parts * len(blocks))
    assert same(kept, anew)


def test_the_dropout_after_a_recomputed_module_is_not_moved(bench, monkeypatch):
    cell = a_cell(model=use("model", "toy-bert"), method=METHOD, batch=8)
    first, _ = trained(bench, monkeypatch, cell, BLOCKS["toy-bert"][:1])
    none, _ = trained(bench, monkeypatch, cell, ())
    assert same(first, none)


def test_such_a_network_is_trained_alone(bench):
    course = course_of(a_cell(model=use("model", "toy-bert"), method=METHOD), bench)
    assert course.stackable
    network = replace(course.network, recomputed=BLOCKS["toy-bert"])
    assert not replace(course, network=network).stackable


def test_what_cannot_be_recomputed_is_refused():
    with pytest.raises(HarnessError, match="has no such module"):
        recompute(nn.Sequential(nn.Linear(1, 1)), ["1"], None)
    with pytest.raises(HarnessError, match="batch norm"):
        recompute(nn.Sequential(nn.BatchNorm1d(1)), ["0"], None)


def test_in_evaluation_nothing_is_computed_twice():
    module, runs = nn.Sequential(nn.Linear(2, 2)), []
    module[0].register_forward_pre_hook(lambda *_: runs.append(1))
    recompute(module, ["0"], None)
    module.eval()(torch.ones(1, 2)).sum().backward()
    assert len(runs) == 1
