import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import World


class Net(nn.Module):
    """Notes where its inputs lie; changes them in place where their sum is at most a bound."""

    def __init__(self, bound):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.bound = bound
        self.seen = []

    def forward(self, x):
        self.seen.append(x.data_ptr())
        if float(x.sum()) <= self.bound:
            x.sub_(0.5)
        return self.layer(x)


def world(bound):
    with torch.random.fork_rng(devices=[]):
        net = Net(bound)
    x = torch.ones(40, 3)
    data = x, torch.zeros(40).long()
    weights = {name: torch.full_like(t, 0.1) for name, t in net.state_dict().items()}
    weights["layer.weight"][0] = 0.3
    return World(net, {"train": data, "test": data}, {"a": weights, "b": weights})


def test_a_network_that_leaves_its_inputs_alone_is_lent_them():
    scene = world(-1e9)
    probe = scene.probe("a", "b")
    probe.evaluate([probe.weights(0), probe.weights(1)], "test")
    assert scene.module.seen[-2:] == [scene.splits["test"][0].data_ptr()] * 2


def test_a_network_that_works_in_place_gets_copies():
    scene = world(1e9)
    probe = scene.probe("a", "b")
    found = probe.evaluate([probe.weights(0), probe.weights(1)], "test")
    assert float(found.loss[0]) == float(found.loss[1])
    assert bool((scene.splits["test"][0] == 1).all())


def test_a_network_that_does_so_now_and_then_is_refused_in_words():
    scene = world(-1e9)
    probe = scene.probe("a", "b")
    probe.evaluate([probe.weights(0)], "test")
    scene.module.bound = 1e9
    with pytest.raises(HarnessError, match="in place"):
        probe.evaluate([probe.weights(1)], "test")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_logit_that_is_not_finite_is_an_error_whatever_the_others(bad):
    from harness.compute.losses import errors

    logits = torch.tensor([[5.0, 1.0], [bad, 1.0], [5.0, bad], [3e38, 3e38]])
    assert errors(logits, torch.zeros(4).long()).tolist() == [0.0, 1.0, 1.0, 0.0]
