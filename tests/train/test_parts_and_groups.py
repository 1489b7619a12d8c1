"""Batches in parts give the gradient of the whole; groups and layers train at their own pace."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from training_scene import Shelf, a_cell, distance, same, use

from harness.api.cells import SplitUse, Stage
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.api.recipes import Group, Optimizer, Phase
from harness.compute.dropout import Rows, StreamDropout, step_keys
from harness.compute.embedding import gather_gradients
from harness.compute.streams import RunStreams
from harness.compute.workbench import Workbench
from harness.plug.discovery import discover
from harness.train.alone import Alone
from harness.train.batches import Batch, Batches
from harness.train.course import course_of
from harness.train.groups import Pace, paces
from harness.train.loop import train
from harness.train.objective import Objective
from harness.train.optim import optimizer_for, set_rate
from harness.train.pack import train_pack
from harness.train.recorder import Recorder
from harness.train.start import drawn_weights

CPU = torch.device("cpu")
SGD = {"steps": 6, "lr": 0.1, "optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0}
PROSE = SplitUse("train", use("dataset", "toy-prose"), "", "train")
SENTENCES = SplitUse("train", use("dataset", "toy-sentences"), "", "train")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    catalogue = discover(extra=["language_scene"])
    return Workbench(catalogue, Shelf(folder), CPU, folder / "cache", True)


def of(split, seed=0, *, model="toy-writer", stage=Stage.FINETUNE, **settings):
    method = use("method", "full", **{**SGD, **settings})
    cell = a_cell(seed, model=use("model", model), method=method, train=split, batch=16)
    return replace(cell, stage=stage)


@pytest.mark.parametrize("train", [SENTENCES, PROSE])
@pytest.mark.parametrize("parts", [3, 16, 40])
def test_a_batch_in_parts_gives_the_same_step_dropout_and_all(texts, train, parts):
    whole, split = of(train, clip=0.5), of(train, clip=0.5, accumulate=parts)
    (one,), (other,) = (train_pack([cell], texts, print) for cell in (whole, split))
    assert distance(one.weights, other.weights) < 2e-6
    assert one.trained.losses == pytest.approx(other.trained.losses, abs=1e-5)


@pytest.mark.parametrize("train", [SENTENCES, PROSE])
def test_a_stack_in_parts_gives_the_same_steps(texts, train):
    whole = train_pack([of(train, seed) for seed in range(3)], texts, print)
    split = train_pack([of(train, seed, accumulate=3) for seed in range(3)], texts, print)
    for one, other in zip(whole, split, strict=True):
        assert other.trained.pack == 3
        assert distance(one.weights, other.weights) < 2e-6


@pytest.mark.parametrize("model", ["toy-bert", "toy-transformer"])
def test_images_in_parts_give_the_same_steps_too(bench, model):
    def weights(**more):
        method = use("method", "full", **SGD, **more)
        return train_pack([a_cell(model=use("model", model), method=method)], bench, print)[0]

    assert distance(weights().weights, weights(accumulate=4).weights) < 2e-6


def test_parts_count_by_the_tokens_that_are_predicted_in_them():
    targets = torch.tensor([[1, 1, 1], [1, -100, -100], [-100] * 3])
    batch = Batch({"x": torch.zeros(3, 3)}, targets)
    parts = list(Objective("language", stacked=False).parts(batch, 3))
    assert [float(part.share) for part in parts][:2] == [0.75, 0.25]
    assert [part.rows for part in parts] == [Rows(0, 1), Rows(1, 1), Rows(2, 1)]


def test_in_regression_the_loss_is_the_mean_squared_error():
    values, targets = torch.tensor([[1.0], [2.0]]), torch.tensor([0.0, 4.0])
    assert Objective("regression", stacked=False)(values, targets, 0.0) == 2.5
    stack = Objective("regression", stacked=True)
    both = torch.stack([values, values + 1]), torch.stack([targets, targets])
    assert stack(*both, 0.0).tolist() == [2.5, 2.5]
    shares = [part.share for part in stack.parts(Batch({"x": both[0]}, both[1]), 2)]
    assert shares == [0.5, 0.5]


@pytest.mark.parametrize("padded", [False, True])
def test_rows_of_a_batch_are_dropped_as_in_the_whole(padded):
    x = torch.ones(12, 5, 7)

    def dropped(rows, part):
        mode = StreamDropout(padded=padded)
        mode.begin(step_keys(0, CPU)(1), rows)
        with mode:
            return torch.nn.functional.dropout(part, 0.5)

    whole = dropped(None, x)
    assert torch.equal(dropped(Rows(4, 3), x[4:7]), whole[4:7])
    heads = dropped(None, x.reshape(60, 7))  # examples by heads in one dimension
    assert torch.equal(dropped(Rows(4, 3), x[4:7].reshape(15, 7)), heads[20:35])


class Tower(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.low = torch.nn.Linear(1, 1)
        self.high = torch.nn.Linear(1, 1)
        self.head = torch.nn.Linear(1, 2)


def tower(*layers):
    return Network(Tower(), head=("head.",), layers=layers)


LAYERS = (("low.",), ("high.",))
NAMES = [name for name, _ in Tower().named_parameters()]


def test_one_step_of_sgd_moves_each_layer_and_group_at_its_own_pace():
    spec = Optimizer("sgd", lr=0.1, weight_decay=0.5, layer_decay=0.5)
    phase = Phase(optimizer=spec, groups=(Group(("high.",), lr=10.0, weight_decay=0.0),))
    network = tower(*LAYERS)
    parameters = dict(network.module.named_parameters())
    for parameter in parameters.values():
        torch.nn.init.ones_(parameter)
        parameter.grad = torch.ones_like(parameter)
    optimizer = optimizer_for(spec, parameters, paces(phase, network, parameters), stacked=False)
    set_rate(optimizer, 0.1 * 0.5)  # half way down a schedule
    optimizer.step()
    moved = {
        name: 1 - float(parameter.detach().flatten()[0]) for name, parameter in parameters.items()
    }
    assert moved == pytest.approx(
        {
            "low.weight": 0.05 * 0.25 * 1.5,
            "low.bias": 0.05 * 0.25,
            "high.weight": 0.05 * 0.5 * 10,
            "high.bias": 0.05 * 0.5 * 10,
            "head.weight": 0.05 * 1.5,
            "head.bias": 0.05,
        },
        abs=1e-6,
    )


def test_the_first_group_that_fits_counts_and_none_may_be_empty():
    groups = (Group(("low.weight",), 2.0), Group(("low.",), 3.0))
    found = paces(Phase(groups=groups), tower(), NAMES)
    assert found["low.weight"] == Pace(2.0, 0.0)
    assert found["low.bias"] == Pace(3.0, 0.0)
    assert found["head.bias"] == Pace(1.0, 0.0)
    with pytest.raises(HarnessError, match=r"\['lo.'\] holds nothing that trains"):
        paces(Phase(groups=(Group(("lo.",)),)), tower(), NAMES)


def test_layers_that_a_model_does_not_name_cannot_decay():
    phase = Phase(optimizer=Optimizer(layer_decay=0.9))
    with pytest.raises(HarnessError, match="the model names none"):
        paces(phase, tower(), NAMES)
    assert paces(phase, tower(*LAYERS), NAMES)["low.bias"].rate == pytest.approx(0.81)


def test_groups_train_alike_alone_and_in_a_stack(texts):
    groups = [{"names": ["words.", "kinds."], "lr": 0.1}, {"names": ["head."], "weight_decay": 0.3}]
    cells = [of(SENTENCES, seed, groups=groups) for seed in range(2)]
    alone = [train_pack([cell], texts, print)[0].weights for cell in cells]
    for one, packed in zip(alone, train_pack(cells, texts, print), strict=True):
        assert distance(one, packed.weights) < 2e-4
    assert not same(alone[0], train_pack([of(SENTENCES)], texts, print)[0].weights)


@pytest.mark.parametrize("least", [1, 10**9])
def test_the_norm_before_clipping_is_that_of_the_whole_batch(texts, monkeypatch, least):
    gather = partial(gather_gradients, least=least)  # with 1 tables gather their own gradients
    monkeypatch.setattr("harness.train.alone.gather_gradients", gather)

    def norms(parts):

        cell = of(SENTENCES, clip=0.01, accumulate=parts)
        course, streams = course_of(cell, texts), RunStreams.of(cell.seeds[0])
        start = drawn_weights(course.work, texts, streams.init)
        recorder = Recorder(Alone(course, start, streams))
        train(course, recorder, Batches(course, [streams], stacked=False), print)
        return [float(norm) for norm in recorder.book.norms]

    before = norms(1)
    assert norms(4) == pytest.approx(before, rel=1e-4)
    assert min(norms(1)) > 0.01
    monkeypatch.undo()
    assert norms(4) == pytest.approx(norms(1), rel=1e-4)
    assert norms(1) == pytest.approx(before, rel=1e-4)
