import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.api.errors import HarnessError
from harness.api.looks import Look
from harness.measure.scene import Budget
from harness.testing.scenes import World


def network(budget=None, count=50):
    generator = torch.Generator().manual_seed(0)
    net = Net()
    state = {
        name: torch.randn(t.shape, generator=generator) for name, t in net.state_dict().items()
    }
    data = torch.randn(count, 4, generator=generator), torch.arange(count) % 3
    splits = {"train": data, "ood-far": data}
    return World(net, splits, {"a": state}, budget=budget or Budget())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x):
        return self.layer(x)


def test_a_look_at_everything_is_what_evaluate_and_gradient_give():
    for budget in (Budget(), Budget(batch=200)):
        probe = network(budget).probe("a", access="train")
        weights = probe.weights()
        for examples in (None, 20):
            look = Look(examples)
            loss, gradient = probe.slope(weights, "train", look)
            found = probe.evaluate([weights], "train", examples=examples)
            assert loss == pytest.approx(float(found.loss[0]), rel=1e-6)
            assert probe.losses([weights], "train", look) == pytest.approx(found.loss, rel=1e-6)
            torch.testing.assert_close(
                gradient, probe.gradient(weights, "train", examples=examples)
            )


def test_batches_deal_out_every_example_once_and_the_last_may_be_smaller():
    probe = network().probe("a", access="train")
    weights = probe.weights()
    parts = [probe.slope(weights, "train", Look(34, batch=(k, 8))) for k in range(5)]
    sizes = torch.tensor([8, 8, 8, 8, 2]) / 34
    loss, gradient = probe.slope(weights, "train", Look(34))
    assert sum(float(s) * part[0] for s, part in zip(sizes, parts, strict=True)) == pytest.approx(
        loss
    )
    whole = sum(s * part[1] for s, part in zip(sizes, parts, strict=True))
    torch.testing.assert_close(whole, gradient)
    assert len({part[0] for part in parts}) == 5
    again = network().probe("a", access="train")
    assert again.slope(again.weights(), "train", Look(34, batch=(3, 8)))[0] == parts[3][0]


def test_classes_that_stand_in_order_are_mixed_in_batches():
    world = network(count=60)
    inputs = world.splits["train"][0]
    sorted_by_class = inputs, torch.arange(60) // 20
    world = World(Net(), {"train": sorted_by_class}, world.runs)
    probe = world.probe("a", access="train")
    weights = {"layer.weight": torch.zeros(3, 4), "layer.bias": torch.zeros(3)}
    for k in range(3):
        _, gradient = probe.slope(weights, "train", Look(batch=(k, 20)))
        shares = 1 / 3 - gradient[-3:]
        assert (shares < 0.9).all(), "a batch of one class"


def test_logits_of_unit_norm_forget_scale_and_shift():
    probe = network().probe("a", access="train")
    weights = dict(probe.weights())
    larger = {name: 5 * tensor for name, tensor in weights.items()}
    larger["layer.bias"] = larger["layer.bias"] + 3
    look = Look(unit_logits=True)
    small, large = probe.losses([weights, larger], "train", look).tolist()
    assert small == pytest.approx(large, rel=1e-5)
    logits, targets = probe.logits([weights], "train")[0], probe.targets("train")
    centred = logits - logits.mean(1, keepdim=True)
    expected = functional.cross_entropy(centred / centred.norm(dim=1, keepdim=True), targets)
    assert small == pytest.approx(float(expected), rel=1e-5)
    assert probe.slope(weights, "train", look)[0] == pytest.approx(small, rel=1e-6)


def test_a_loss_without_parameters_has_no_slope():
    class Fixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(2))

        def forward(self, x):
            return x

    data = torch.eye(3), torch.arange(3)
    probe = World(Fixed(), {"train": data}, {"a": {"w": torch.zeros(2)}}).probe("a")
    loss, gradient = probe.slope(probe.weights(), "train", Look())
    assert loss > 0
    assert gradient.tolist() == [0, 0]


def test_looks_are_counted_and_kept_within_the_access():
    probe = network().probe("a", access="id")
    weights = probe.weights()
    probe.slope(weights, "train", Look(batch=(0, 8)))
    probe.losses([weights, weights], "train", Look(batch=(1, 8)))
    assert (probe.ledger.cost().forward, probe.ledger.cost().backward) == (8 + 16, 8)
    with pytest.raises(HarnessError, match="ood-far"):
        probe.slope(weights, "ood-far", Look())


def test_the_response_is_to_one_input_of_ones_and_there_is_none_to_tokens():
    probe = network().probe("a", access="train")
    weights = probe.weights()
    expected = weights["layer.weight"].sum(1) + weights["layer.bias"]
    torch.testing.assert_close(probe.response(weights), expected)
    assert probe.ledger.cost().forward == 1
    tokens = torch.arange(6)[:, None].expand(6, 4), torch.arange(6) % 3
    probe = World(Net(), {"train": tokens}, network().runs).probe("a", access="train")
    assert probe.response(probe.weights()) is None
