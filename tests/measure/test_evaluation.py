import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.measure import evaluation
from harness.measure.line import line
from harness.measure.scene import Budget
from harness.testing.scenes import World


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(5, 7)
        self.two = nn.Linear(7, 3)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.two(self.drop(torch.relu(self.one(x))))


def weights(seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(tensor.shape, generator=generator, dtype=dtype)
        for name, tensor in Net().state_dict().items()
    }


def data(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 5, generator=generator), torch.arange(count) % 3


def world(budget=None, stacked=False, dtype=torch.float32):
    runs = {name: weights(seed, dtype) for seed, name in enumerate("abcd")}
    splits = {"train": data(40), "test": data(33, 1), "ood-noise": data(21, 2)}
    return World(Net().eval(), splits, runs, budget=budget or Budget(), stacked=stacked)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("batch", [1, 2000, 2**26])
def test_losses_and_errors_are_those_of_a_plain_loop(stacked, batch, dtype):
    probe = world(Budget(batch=batch), stacked, dtype).probe("a", "b")
    points = probe.line(probe.weights(0), probe.weights(1), [0.0, 0.25, 0.5, 1.0])
    found = probe.evaluate(points, "test", each=True)
    x, y = data(33, 1)
    for place, point in enumerate(points):
        net = Net().to(dtype).eval()
        net.load_state_dict(dict(point))
        logits = net(x.to(dtype)).detach()
        losses = nn.functional.cross_entropy(logits, y, reduction="none").double()
        torch.testing.assert_close(found.example_losses[place], losses, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(found.loss[place], losses.mean(), rtol=1e-6, atol=1e-7)
        assert found.error[place] == (logits.argmax(1) != y).double().mean()
    assert found.examples == 33


def test_a_point_gives_the_same_numbers_whatever_is_evaluated_beside_it():
    probe = world().probe("a", "b")
    points = probe.line(probe.weights(0), probe.weights(1), [0.0, 0.3, 0.6, 1.0])
    together = probe.evaluate(points, "test", each=True).example_losses
    for place, point in enumerate(points):
        alone = world().probe("a", "b").evaluate([point], "test", each=True).example_losses
        assert torch.equal(alone[0], together[place])


def test_end_points_are_evaluated_once_in_a_pack():
    here = world()
    shared = here.shared()
    passes = 0.0
    for first, second in ("ab", "ac", "bc", "cd"):
        probe = here.probe(first, second, shared=shared)
        points = probe.line(probe.weights(0), probe.weights(1), [0.0, 0.5, 1.0])
        probe.evaluate(points, "test")
        probe.evaluate(points[:1] + points[2:], "test")
        passes += probe.ledger.cost().forward
    assert passes == 33 * (4 + 4)  # four midpoints, four runs


def test_splits_do_not_share_evaluations():
    probe = world().probe("a")
    points = [probe.weights()]
    losses = {split: float(probe.evaluate(points, split).loss) for split in ("test", "ood-noise")}
    assert losses["test"] != losses["ood-noise"]


def test_stacks_are_cut_to_the_budget(monkeypatch):
    seen = []
    plain = evaluation._stack
    monkeypatch.setattr(
        evaluation, "_stack", lambda *args: seen.append(len(args[1]["one.bias"])) or plain(*args)
    )
    here = world(Budget(batch=2 * 3 * 4 * (5 * 7 + 7 + 7 * 3 + 3)), stacked=True)
    probe = here.probe("a", "b")
    points = probe.line(probe.weights(0), probe.weights(1), [n / 9 for n in range(10)])
    probe.evaluate(points, "test")
    assert seen == [3, 3, 2]


def test_the_ends_of_a_line_are_the_points_themselves():
    start, end = weights(0), weights(1)
    points = line(start, end, [0.0, 0.5, 1.0])
    assert points[0] is start
    assert points[2] is end
    expected = (start["one.weight"] + end["one.weight"]) / 2
    torch.testing.assert_close(points[1]["one.weight"], expected)


def test_integers_on_a_line_are_copied_from_the_nearer_end():
    start = {"n": torch.tensor(3), "w": torch.tensor([0.0])}
    end = {"n": torch.tensor(8), "w": torch.tensor([1.0])}
    points = line(start, end, [0.25, 0.5, 0.75])
    assert [point["n"].item() for point in points] == [3, 3, 8]
    assert [point["w"].item() for point in points] == [0.25, 0.5, 0.75]


def test_a_line_there_and_back_passes_the_same_points():
    start, end = weights(0), weights(1)
    there = line(start, end, [0.1, 0.3, 0.5])
    back = line(end, start, [0.9, 0.7, 0.5])
    for one, other in zip(there, back, strict=True):
        torch.testing.assert_close(one["one.weight"], other["one.weight"], rtol=1e-6, atol=1e-7)


def test_weights_of_different_networks_have_no_line_between_them():
    with pytest.raises(HarnessError, match=r"one\.weight"):
        line(weights(0), weights(0) | {"one.weight": torch.zeros(2, 2)}, [0.5])


def test_dropout_is_off_even_where_the_module_was_left_in_training_mode():
    here = world()
    probe = here.probe("a")
    expected = probe.evaluate([probe.weights()], "test").loss
    here.module.train()
    from harness.api.offers import Metric
    from harness.api.readings import Reading, Value

    def measure(settings, probe):
        loss = probe.evaluate([probe.weights()], "test").loss
        return Reading(values=(Value(name="loss", value=float(loss)),))

    metric = Metric(name="loss", about="", measure=measure, of="point", access="id")
    reading = here.read(metric, ["a"])
    assert reading.values[0].value == float(expected)
    assert here.module.training
    assert "restored" not in reading.protocol


def test_an_unknown_split_names_those_that_there_are():
    probe = world().probe("a")
    with pytest.raises(HarnessError, match=r"no split .valid.*ood-noise, test, train"):
        probe.evaluate([probe.weights()], "valid")


def test_streams_of_a_metric_differ_by_name_and_subject_and_repeat():
    here = world()
    draws = [
        torch.rand(1, generator=probe.generator(name)).item()
        for probe in (here.probe("a"), here.probe("a"), here.probe("b"))
        for name in ("x", "y")
    ]
    assert draws[:2] == draws[2:4]
    assert len(set(draws)) == 4
