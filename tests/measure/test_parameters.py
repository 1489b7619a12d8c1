import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import World


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.body = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        self.head = nn.Linear(3, 4)

    def forward(self, x):
        return self.head(self.body(x * self.scale))


def probe(**told):
    net = Net()
    data = torch.zeros(5, 2), torch.zeros(5, dtype=torch.long)
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    return World(net, {"train": data}, {"a": state, "a/init": state}, **told).probe("a")


def named(probe, mask):
    weights = probe.weights()
    parts = mask.split([weights[name].numel() for name in probe.names()])
    assert all(part.all() or not part.any() for part in parts)
    return {name for name, part in zip(probe.names(), parts, strict=True) if part.all()}


def test_groups_hold_what_their_names_say():
    here = probe(head=("head.",))
    body = {"body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias"}
    head = {"head.weight", "head.bias"}
    assert named(here, here.group("all")) == {"scale"} | body | head
    assert named(here, here.group("no-head")) == {"scale"} | body
    weights = {"scale", "body.0.weight", "head.weight"}
    assert named(here, here.group("no-bias-and-norm")) == weights
    assert named(here, here.group("body")) == body
    assert named(here, here.group("body.1")) == {"body.1.weight", "body.1.bias"}
    assert here.modules() == ("", "body.0", "body.1", "head")


@pytest.mark.parametrize("which", ["bod", "no-head", "body.2", ""])
def test_a_group_that_is_not_there_is_refused(which):
    with pytest.raises(HarnessError, match="no parameters in the group"):
        probe().group(which)


def test_a_vector_becomes_weights_and_comes_back():
    here = probe()
    weights = here.weights()
    vector = torch.arange(len(here.parameters(weights)), dtype=torch.float64)
    moved = here.at(vector, weights)
    assert torch.equal(here.parameters(moved), vector.float())
    assert torch.equal(moved["body.1.running_var"], weights["body.1.running_var"])
    assert list(moved) == list(weights)
    assert moved["scale"].dtype is torch.float32
    same = here.at(here.parameters(weights), weights)
    assert all(torch.equal(same[name], weights[name]) for name in weights)


def test_a_vector_of_another_length_is_no_point():
    here = probe()
    with pytest.raises(HarnessError, match="is no point: the network has 33 parameters"):
        here.at(torch.zeros(3), here.weights())


def test_points_are_told_by_name():
    here = probe()
    assert here.points() == ("init", "final")
    assert here.weights(0, "init").keys() == here.weights().keys()
