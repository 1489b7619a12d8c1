import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.measure.scene import Budget
from harness.testing.scenes import LOSS_ITSELF, World


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
        self.head = nn.Linear(3, 4)

    def forward(self, x):
        return self.head(self.body(x))


def world(**told):
    generator = torch.Generator().manual_seed(0)

    def state():
        return {
            name: torch.randn(tensor.shape, generator=generator)
            for name, tensor in Net().state_dict().items()
        }

    data = torch.randn(11, 2, generator=generator), torch.arange(11) % 4
    splits = {"train": data, "test": data, "ood-far": data}
    return World(Net(), splits, {"a": state(), "b": state()}, **told)


def exact(here, key, x):
    net = Net()
    net.load_state_dict(dict(here.runs[key]))
    return net(x).detach()


@pytest.mark.parametrize("told", [{}, {"budget": Budget(batch=1)}, {"stacked": True}])
def test_logits_are_the_networks_at_every_point(told):
    here = world(**told)
    probe = here.probe("a", "b")
    a, b = probe.weights(0), probe.weights(1)
    points = [a, probe.line(a, b, [0.5])[0], {**a}, b]
    logits = probe.logits(points, "test")
    x = here.splits["test"][0]
    assert logits.shape == (4, 11, 4)
    for row, key in ((0, "a"), (2, "a"), (3, "b")):
        torch.testing.assert_close(logits[row], exact(here, key, x))


def test_logits_and_targets_are_of_the_same_examples_in_the_same_order():
    here = world()
    probe = here.probe("a")
    some = probe.logits([probe.weights()], "test", examples=5)[0]
    targets = probe.targets("test", examples=5)
    found = probe.evaluate([probe.weights()], "test", each=True, examples=5)
    losses = nn.functional.cross_entropy(some, targets, reduction="none")
    torch.testing.assert_close(losses.double(), found.example_losses[0], atol=1e-6, rtol=1e-6)
    assert torch.equal(probe.targets("test"), here.splits["test"][1])


def test_logits_of_a_named_point_are_paid_for_once():
    here = world()
    shared = here.shared()
    first, second = (here.probe("a", shared=shared) for _ in range(2))
    logits = [probe.logits([probe.weights()], "test") for probe in (first, second)]
    assert torch.equal(*logits)
    assert [probe.ledger.cost().forward for probe in (first, second)] == [11, 0]


def test_logits_take_inputs_and_targets_take_labels():
    probe = world().probe("a", access="ood-inputs")
    probe.logits([probe.weights()], "ood-far")
    with pytest.raises(HarnessError, match="'ood-labels'"):
        probe.targets("ood-far")
    with pytest.raises(HarnessError, match="'ood-inputs'"):
        world().probe("a", access="id").logits([probe.weights()], "ood-far")


def test_what_a_metric_does_to_targets_changes_no_data():
    here = world()
    here.probe("a").targets("test").zero_()
    assert here.splits["test"][1].any()


def test_a_network_without_a_row_per_example_has_no_logits():
    class Loss(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(2))

        def forward(self, x):
            return self.w.sum()[None]

    data = torch.zeros(3, 1), torch.zeros(3)
    probe = World(Loss(), {"train": data}, {"a": {"w": torch.zeros(2)}}, LOSS_ITSELF).probe("a")
    with pytest.raises(HarnessError, match="gives no logits"):
        probe.logits([probe.weights()], "train")
