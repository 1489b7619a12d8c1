import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.measure.scene import Budget
from harness.testing.scenes import World


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(1, 2, 2), nn.ReLU(inplace=True))
        self.pair = nn.Identity()
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        h = self.body(x[:, None]).flatten(1)
        return self.head(h)


def world(**told):
    generator = torch.Generator().manual_seed(0)
    net = Net()
    state = {n: torch.randn(t.shape, generator=generator) for n, t in net.state_dict().items()}
    data = torch.randn(11, 4, generator=generator), torch.arange(11) % 3
    return World(net, {"train": data, "ood-far": data}, {"a": state}, **told)


def body(here):
    net = Net()
    net.load_state_dict(here.runs["a"])
    x = here.splits["train"][0]
    return net.body(x[:, None]).flatten(1).detach()


@pytest.mark.parametrize("budget", [Budget(), Budget(batch=1)])
def test_features_are_the_outputs_of_the_modules_that_the_network_names(budget):
    here = world(features=("body", "head"), budget=budget)
    probe = here.probe("a")
    found = probe.features(probe.weights(), "train")
    assert list(found) == ["body", "head"]
    torch.testing.assert_close(found["body"], body(here))
    torch.testing.assert_close(found["head"], probe.logits([probe.weights()], "train")[0])


def test_a_network_that_names_none_has_what_goes_into_its_head():
    here = world(head=("head.",))
    probe = here.probe("a", access="ood-inputs")
    found = probe.features(probe.weights(), "ood-far", examples=5)
    assert list(found) == ["penultimate"]
    assert found["penultimate"].shape == (5, 6)
    assert not any(part._forward_pre_hooks for part in here.module.modules())
    everything = probe.features(probe.weights(), "train")["penultimate"]
    torch.testing.assert_close(everything, body(here))
    assert probe.ledger.cost().forward == 5 + 11


def test_a_network_that_names_neither_has_no_features():
    probe = world().probe("a")
    with pytest.raises(HarnessError, match="names neither features nor a head"):
        probe.features(probe.weights(), "train")
