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


def test_what_the_model_itself_froze_is_no_direction():
    net = Net()
    net.scale.requires_grad_(False)
    data = torch.randn(5, 2, generator=torch.Generator().manual_seed(0)), torch.arange(5) % 4
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    here = World(net, {"train": data}, {"a": state}).probe("a")
    weights = here.weights()

    assert "scale" not in here.names()
    size = sum(weights[name].numel() for name in here.names())
    assert here.parameters(weights).shape == here.gradient(weights, "train").shape == (size,)
    assert here.hessian_product(weights, "train")(torch.ones(size)).shape == (size,)
    assert here.group("all").shape == (size,)
    assert torch.equal(here.at(torch.zeros(size), weights)["scale"], weights["scale"])


def test_squared_gradients_of_examples_leave_out_what_is_frozen():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 4))
    net[0].bias.requires_grad_(False)
    net[2].weight.requires_grad_(False)
    module = OneInput(net)
    data = torch.randn(6, 2, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 4
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    here = World(module, {"train": data}, {"a": state}).probe("a")

    rows = torch.cat(list(here.example_gradients(here.weights(), "train")))
    squares = here.example_gradient_norms(here.weights(), "train")
    assert rows.shape == (6, 3 * 2 + 4)
    torch.testing.assert_close(squares, rows.double().square().sum(1).to(squares.dtype))


class OneInput(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)
