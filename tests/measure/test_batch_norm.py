import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.api.looks import Look
from harness.measure.batchnorm import BATCH
from harness.testing.scenes import World


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(2, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.drop = nn.Dropout(0.5)
        self.two = nn.Linear(6, 3)
        self.last = nn.BatchNorm1d(3)

    def forward(self, x):
        hidden = torch.relu(self.norm(self.one(x))).mean((2, 3))
        return self.last(self.two(self.drop(hidden)))


def weights(seed):
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in Net().state_dict().items():
        if not tensor.is_floating_point():
            state[name] = torch.tensor(10 + seed)
        elif name.endswith("running_var"):
            state[name] = torch.rand(tensor.shape, generator=generator) + 0.5
        else:
            state[name] = torch.randn(tensor.shape, generator=generator)
    return state


def world(count=40):
    generator = torch.Generator().manual_seed(9)
    data = torch.randn(count, 2, 4, 4, generator=generator) * 3 + 1, torch.arange(count) % 3
    return World(Net().eval(), {"train": data, "test": data}, {"a": weights(0), "b": weights(1)})


def test_statistics_of_one_batch_are_the_moments_of_the_training_data():
    here = world()
    probe = here.probe("a", "b")
    middle = probe.line(probe.weights(0), probe.weights(1), [0.5])
    point = probe.recalibrated(middle)[0]
    x = here.splits["train"][0]
    hidden = nn.functional.conv2d(x, point["one.weight"], padding=1)
    torch.testing.assert_close(point["norm.running_mean"], hidden.mean((0, 2, 3)))
    flat = hidden.transpose(0, 1).flatten(1)
    torch.testing.assert_close(point["norm.running_var"], flat.var(1))


def test_activations_between_two_points_get_their_variance_back():
    here = world()
    probe = here.probe("a", "b")
    middle = probe.line(probe.weights(0), probe.weights(1), [0.5])[0]
    repaired = probe.recalibrated([middle])[0]

    def spread(point):
        net = Net().eval()
        net.load_state_dict(dict(point))
        hidden = net.norm(net.one(here.splits["train"][0]))
        scale = net.norm.weight.detach().abs()
        return (hidden.detach().transpose(0, 1).flatten(1).std(1) / scale).tolist()

    assert spread(repaired) == pytest.approx([1.0] * 6, rel=1e-3)
    assert spread(middle) != pytest.approx([1.0] * 6, rel=0.1)


def test_only_statistics_change_and_counters_stay_the_points_own():
    probe = world().probe("a", "b")
    points = probe.line(probe.weights(0), probe.weights(1), [0.0, 0.4, 0.6, 1.0])
    anew = probe.recalibrated(points)
    assert [int(point["norm.num_batches_tracked"]) for point in anew] == [10, 10, 11, 11]
    for point, other in zip(points, anew, strict=True):
        for name in point:
            changed = not torch.equal(point[name], other[name])
            assert changed == name.endswith(("running_mean", "running_var"))


@pytest.mark.parametrize("count", [BATCH, BATCH + 1, 2 * BATCH + 3])
def test_no_example_weighs_more_than_another_whatever_the_last_batch(count):
    here = world(count)
    probe = here.probe("a")
    point = probe.recalibrated([probe.weights()])[0]
    hidden = nn.functional.conv2d(here.splits["train"][0], point["one.weight"], padding=1)
    torch.testing.assert_close(point["norm.running_mean"], hidden.mean((0, 2, 3)))
    variance = hidden.transpose(0, 1).flatten(1).var(1)
    torch.testing.assert_close(point["norm.running_var"], variance, rtol=0.02, atol=0)


def test_dropout_stays_off_and_the_module_as_it_was():
    here = world()
    probe = here.probe("a")
    once, twice = (here.probe("a").recalibrated([probe.weights()])[0] for _ in range(2))
    assert torch.equal(once["last.running_mean"], twice["last.running_mean"])
    assert not any(part.training for part in here.module.modules())
    assert here.module.norm.momentum == 0.1
    assert int(here.module.norm.num_batches_tracked) == 0


def test_statistics_that_are_not_finite_do_not_stay():
    here = world()
    here.runs["a"]["norm.running_var"].fill_(float("nan"))
    probe = here.probe("a")
    assert probe.recalibrated([probe.weights()])[0]["norm.running_var"].isfinite().all()


def test_points_are_recalibrated_and_evaluated_once_in_a_pack():
    here = world()
    shared = here.shared()
    passes = []
    for _ in range(2):
        probe = here.probe("a", "b", shared=shared)
        points = probe.line(probe.weights(0), probe.weights(1), [0.0, 0.5, 1.0])
        probe.evaluate(probe.recalibrated(points), "test")
        passes.append(probe.ledger.cost().forward)
    assert passes == [6 * 40, 0]  # recalibrate and evaluate three points, then none


def test_a_recalibrated_end_point_is_not_taken_for_the_stored_one():
    probe = world().probe("a")
    stored = probe.weights()
    plain = probe.evaluate([stored], "test").loss
    anew = probe.evaluate(probe.recalibrated([stored]), "test").loss
    assert float(plain) != float(anew)


def test_a_network_without_batch_norm_gets_its_points_back():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.GroupNorm(1, 2)

        def forward(self, x):
            return self.norm(x)

    state = {name: tensor.clone() for name, tensor in Plain().state_dict().items()}
    data = torch.rand(5, 2), torch.zeros(5, dtype=torch.long)
    probe = World(Plain(), {"train": data}, {"a": state}).probe("a", access="id")
    points = probe.line(probe.weights(), probe.weights(), [0.0, 0.5])
    same = probe.recalibrated(points)
    assert all(one is other for one, other in zip(points, same, strict=True))
    assert probe.ledger.cost().forward == 0
    assert not probe.batch_norm


def test_a_slope_can_go_by_the_statistics_of_its_batch_as_training_does():
    here = world()
    probe = here.probe("a", access="train")
    point = probe.weights()
    before = {name: tensor.clone() for name, tensor in point.items()}
    loss, slope = probe.slope(point, "train", Look(batch_statistics=True))
    net = Net()
    net.load_state_dict(before)
    net.drop.eval()
    x, y = here.splits["train"]
    expected = nn.functional.cross_entropy(net(x), y)
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(slope, torch.cat([p.grad.reshape(-1) for p in net.parameters()]))
    assert all(torch.equal(point[name], tensor) for name, tensor in before.items())
    assert probe.slope(point, "train", Look())[0] != pytest.approx(loss, rel=0.01)
    with pytest.raises(HarnessError, match="batch_statistics"):
        probe.losses([point], "train", Look(batch_statistics=True))
