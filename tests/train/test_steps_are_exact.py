"""Optimizer steps, schedules, clipping and smoothing against values computed by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from training_scene import a_cell, distance, use

from harness.api.recipes import Optimizer, Schedule
from harness.compute.losses import cross_entropy
from harness.train.groups import Pace
from harness.train.optim import clip, optimizer_for
from harness.train.pack import train_pack
from harness.train.schedule import multiplier


def stepped(spec, weight, gradients):
    parameter = torch.tensor(weight, dtype=torch.float64, requires_grad=True)
    pace = {"w": Pace(1.0, spec.weight_decay)}
    optimizer = optimizer_for(spec, {"w": parameter}, pace, stacked=False)
    for gradient in gradients:
        parameter.grad = torch.full_like(parameter, gradient)
        optimizer.step()
    return parameter.detach().flatten().tolist()


def test_two_sgd_steps_with_momentum_and_decay_are_those_of_the_formula():
    spec = Optimizer("sgd", lr=0.1, weight_decay=0.01, momentum=0.9)
    v = 1.0 + 0.01 * 2.0
    w = 2.0 - 0.1 * v
    v = 0.9 * v + (0.5 + 0.01 * w)
    w = w - 0.1 * v
    assert stepped(spec, [[2.0]], [1.0, 0.5]) == pytest.approx([w], abs=1e-12)


def test_two_adamw_steps_are_those_of_the_formula():
    spec = Optimizer("adamw", lr=0.1, weight_decay=0.01)
    w, m, v = 2.0, 0.0, 0.0
    for t, g in enumerate([1.0, 0.5], start=1):
        w -= 0.1 * 0.01 * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= 0.1 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
    assert stepped(spec, [[2.0]], [1.0, 0.5]) == pytest.approx([w], abs=1e-12)


def test_biases_and_norms_do_not_decay_unless_everything_does():
    spec = Optimizer("sgd", lr=1.0, weight_decay=0.5)
    assert stepped(spec, [[4.0]], [0.0]) == [2.0]
    assert stepped(spec, [4.0], [0.0]) == [4.0]
    assert stepped(Optimizer("sgd", lr=1.0, weight_decay=0.5, decay_all=True), [4.0], [0.0]) == [
        2.0
    ]


def test_in_a_stack_the_same_parameters_decay():
    bias, weight = torch.ones(3, 4, requires_grad=True), torch.ones(3, 4, 2, requires_grad=True)
    named, pace = {"bias": bias, "weight": weight}, Pace(1.0, 0.5)
    optimizer = optimizer_for(Optimizer("sgd"), named, dict.fromkeys(named, pace), stacked=True)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.0, 0.5]
    assert optimizer.param_groups[1]["params"][0] is weight


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule(), [1, 1, 1, 1]),
        (Schedule(warmup=2), [0.5, 1, 1, 1]),
        (Schedule("linear"), [1, 0.75, 0.5, 0.25]),
        (Schedule("linear", final=0.5), [1, 0.875, 0.75, 0.625]),
        (Schedule("cosine"), [1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2]),
        (Schedule("cosine", warmup=2), [0.5, 1, 1, 0.5]),
        (Schedule("linear", warmup=9), [0.25, 0.5, 0.75, 1]),
    ],
)
def test_learning_rates_follow_the_schedule(schedule, expected):
    assert [multiplier(schedule, i, 4) for i in range(4)] == pytest.approx(expected)


def test_each_member_of_a_stack_is_clipped_by_its_own_norm():
    one, two = torch.zeros(2, 2, requires_grad=True), torch.zeros(2, 1, requires_grad=True)
    one.grad = torch.tensor([[3.0, 0.0], [0.3, 0.0]])
    two.grad = torch.tensor([[4.0], [0.4]])
    clip([one, two], 1.0, stacked=True)
    torch.testing.assert_close(one.grad, torch.tensor([[0.6, 0.0], [0.3, 0.0]]))
    torch.testing.assert_close(two.grad, torch.tensor([[0.8], [0.4]]))


def test_label_smoothing_is_that_of_torch_and_of_the_formula():
    logits, targets = (
        torch.randn(5, 3, generator=torch.Generator().manual_seed(0)),
        torch.arange(5) % 3,
    )
    ours = cross_entropy(logits, targets, 0.3)
    logs = logits.log_softmax(1)
    formula = -(0.7 * logs[torch.arange(5), targets] + 0.3 * logs.mean(1))
    torch.testing.assert_close(ours, formula)
    torch.testing.assert_close(ours.mean(), F.cross_entropy(logits, targets, label_smoothing=0.3))


def test_a_whole_training_equals_a_loop_written_by_hand(bench):
    method = use("method", "full", steps=5, lr=0.1, optimizer="sgd", momentum=0.0, weight_decay=0.0)
    cell = a_cell(3, method=method, seeds=a_cell().seeds[0], batch=100)
    trained = train_pack([cell], bench, print)[0]
    from harness.compute.streams import derive, generator

    work, split = cell.work, bench.split(cell.work.train)
    module = bench.network(work.model, work.train, 0, "init").module
    order = torch.randperm(len(split), generator=generator(derive(0, "order")))
    for step in range(5):
        where = order[100 * step : 100 * (step + 1)]
        pixels = (split.inputs["image"][where].float() / 255 - 0.305) / 0.376
        loss = F.cross_entropy(module(image=pixels), split.targets[where])
        assert trained.trained.losses[step] == pytest.approx(loss.item(), rel=1e-5)
        grads = torch.autograd.grad(loss, list(module.parameters()))
        with torch.no_grad():
            for parameter, grad in zip(module.parameters(), grads, strict=True):
                parameter -= 0.1 * grad
    assert distance(trained.weights, module.state_dict()) < 1e-5
