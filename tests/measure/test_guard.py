import random

import numpy as np
import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.measure.guard import guarded, same_bits
from harness.testing.scenes import World


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.two = nn.Linear(4, 2)
        self.two.bias.requires_grad_(False)
        self.one.weight.grad = torch.ones_like(self.one.weight)

    def forward(self, x):
        return self.two(self.norm(self.one(x)))


def world():
    state = {
        name: torch.rand_like(t) if t.is_floating_point() else t.clone()
        for name, t in Net().state_dict().items()
    }
    data = torch.rand(8, 3), torch.arange(8) % 2
    return World(Net(), {"train": data, "test": data}, {"a": state}, features=("one",))


def metric(measure):
    def run(settings, probe):
        measure(probe)
        return Reading(values=(Value(name="x", value=1.0),))

    return Metric(name="naughty", about="", measure=run, of="point", access="ood-labels")


def module_of(probe):
    return probe.view.scene.network.module


def overwrite_weights(probe):
    module_of(probe).one.weight.data.add_(1)


def overwrite_through_numpy(probe):
    module_of(probe).one.bias.detach().numpy()[:] = 7


def overwrite_a_point(probe):
    probe.weights()["one.weight"].mul_(2)


def overwrite_a_point_through_data(probe):
    probe.weights()["two.weight"].data[0] = float("nan")


def overwrite_a_buffer(probe):
    module_of(probe).norm.running_var.zero_()


def count_a_batch(probe):
    module_of(probe).norm.num_batches_tracked.add_(1)


def leave_training_mode(probe):
    module_of(probe).norm.train()


def leave_a_gradient(probe):
    module_of(probe).two.weight.grad = torch.ones(2, 4)


def change_a_gradient(probe):
    module_of(probe).one.weight.grad.mul_(3)


def drop_a_gradient(probe):
    module_of(probe).one.weight.grad = None


def freeze(probe):
    module_of(probe).one.weight.requires_grad_(False)


def thaw(probe):
    module_of(probe).two.bias.requires_grad_(True)


def ask_a_point_for_gradients(probe):
    probe.weights()["one.weight"].requires_grad_(True)


def draw_from_torch(probe):
    torch.rand(1)


def draw_from_numpy(probe):
    np.random.rand(1)  # noqa: NPY002 - on purpose


def draw_from_python(probe):
    random.random()


def switch_gradients_off(probe):
    torch.set_grad_enabled(False)


def change_the_default_dtype(probe):
    torch.set_default_dtype(torch.float64)


MISCHIEF = {
    overwrite_weights: "values of the network's one.weight",
    overwrite_through_numpy: "values of the network's one.bias",
    overwrite_a_point: "values of one.weight of run 0 at 'final'",
    overwrite_a_point_through_data: "values of two.weight of run 0 at 'final'",
    overwrite_a_buffer: "values of the network's norm.running_var",
    count_a_batch: "values of the network's norm.num_batches_tracked",
    leave_training_mode: "training mode of norm",
    leave_a_gradient: "grad of the network's two.weight",
    change_a_gradient: "grad of the network's one.weight",
    drop_a_gradient: "grad of the network's one.weight",
    freeze: "requires_grad of the network's one.weight",
    thaw: "requires_grad of the network's two.bias",
    ask_a_point_for_gradients: "requires_grad of one.weight of run 0 at 'final'",
    draw_from_torch: "torch's random state",
    draw_from_numpy: "numpy's random state",
    draw_from_python: "Python's random state",
    switch_gradients_off: "torch's gradient mode",
    change_the_default_dtype: "torch's default dtype",
}


def everything(here):
    module = here.module
    tensors = [*module.state_dict().values(), *here.runs["a"].values()]
    parts = [*module.parameters(), *here.runs["a"].values()]
    return (
        [tensor.clone() for tensor in tensors],
        [None if tensor.grad is None else tensor.grad.clone() for tensor in parts],
        [tensor.requires_grad for tensor in parts],
        [part.training for part in module.modules()],
        torch.get_rng_state(),
        np.random.get_state()[1].copy(),  # noqa: NPY002 - it is what is guarded
        np.random.get_state()[2],  # noqa: NPY002
        random.getstate(),
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
    )


def same(left, right):
    if isinstance(left, torch.Tensor) and isinstance(right, torch.Tensor):
        return same_bits(left, right)
    if isinstance(left, list):
        return all(same(a, b) for a, b in zip(left, right, strict=True))
    return np.array_equal(left, right) if isinstance(left, np.ndarray) else left == right


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("mischief", MISCHIEF, ids=lambda mischief: mischief.__name__)
def test_what_a_metric_changes_is_put_back_and_named(mischief, raises):
    here = world()
    before = everything(here)

    def measure(probe):
        probe.evaluate([probe.weights()], "test")
        mischief(probe)
        if raises:
            raise RuntimeError("and then it broke")

    if raises:
        with pytest.raises(RuntimeError, match="broke") as caught:
            here.read(metric(measure), ["a"])
        told = caught.value.__notes__[0]
    else:
        told = here.read(metric(measure), ["a"]).protocol["restored"]
        assert len(told) == 1
        told = told[0]
    assert MISCHIEF[mischief] in told
    for left, right in zip(before, everything(here), strict=True):
        assert same(left, right)


def test_a_metric_that_uses_every_part_of_the_probe_changes_nothing():
    here = world()
    before = everything(here)

    def measure(probe):
        weights = probe.weights()
        points = probe.recalibrated(probe.line(weights, weights, [0.0, 0.5, 1.0]))
        probe.evaluate(points, "test", each=True)
        probe.gradient(weights, "train")
        probe.hessian_product(weights, "train")(probe.parameters(weights))
        probe.krylov(weights, "train").top(2, by="value", tolerance=1e-3, products=5)
        space = probe.krylov(weights, "train", matrix="covariance")
        space.density(3), space.trace_samples(2, 1)
        space.directions(1, by="value", tolerance=1e-3, products=3)
        probe.logits(points, "test").zero_()
        probe.targets("test").zero_()
        for rows in probe.example_gradients(weights, "train"):
            rows.zero_()
        probe.example_gradient_norms(weights, "train")
        for kind in ("true", "empirical", "ggn"):
            probe.fisher_product(weights, "train", kind=kind)(probe.parameters(weights))
        for features in probe.features(weights, "test").values():
            features.zero_()
        probe.at(probe.parameters(weights), weights)
        torch.rand(3, generator=probe.generator("mine"))

    reading = here.read(metric(measure), ["a"])
    assert "restored" not in reading.protocol
    for left, right in zip(before, everything(here), strict=True):
        assert same(left, right)


def test_what_was_computed_of_tampered_weights_is_not_shared():
    here = world()
    shared = here.shared()
    honest = here.probe("a").evaluate([here.probe("a").weights()], "test").loss

    def tamper(probe):
        probe.weights()["two.weight"].mul_(50)
        probe.evaluate([probe.weights()], "test")

    here.read(metric(tamper), ["a"], shared=shared)
    after = here.probe("a", shared=shared)
    weights = after.weights()
    assert float(after.evaluate([weights], "test").loss) == float(honest)


def test_a_point_cannot_lose_or_gain_a_tensor():
    probe = world().probe("a")
    with pytest.raises(TypeError):
        probe.weights()["one.weight"] = torch.zeros(1)


def test_bits_are_compared_and_not_values():
    nan = torch.tensor([float("nan")])
    assert same_bits(nan, nan.clone())
    assert not same_bits(torch.tensor([0.0]), torch.tensor([-0.0]))
    assert not same_bits(torch.tensor([1.0]), torch.tensor([1.0]).double())
    assert not same_bits(torch.zeros(2), torch.zeros(1))
    assert same_bits(torch.tensor(3), torch.tensor(3))


def test_a_tensor_that_was_given_another_shape_gets_its_own_back():
    net = Net()
    kept = net.one.weight.detach().clone()
    with guarded(net) as guard:
        net.one.weight.data = torch.zeros(2, 2)
    assert same_bits(net.one.weight, kept)
    assert guard.restored == ("values of the network's one.weight",)


@pytest.mark.gpu
def test_the_random_states_of_accelerators_are_put_back():
    before = torch.cuda.get_rng_state_all()
    with guarded(Net()) as guard:
        torch.rand(1, device="cuda")
    assert all(map(torch.equal, before, torch.cuda.get_rng_state_all()))
    assert guard.restored == ("CUDA's random states",)


def test_a_metric_that_returns_no_reading_is_told_so_by_name():
    naughty = Metric(
        name="mute", about="", measure=lambda *_: None, of="point", access="ood-labels"
    )
    with pytest.raises(HarnessError, match="'mute' returned NoneType, no Reading"):
        world().read(naughty, ["a"])


def test_a_metric_that_returns_a_curve_without_all_of_its_numbers_is_told_so():
    short = Curve(name="way", split=None, x=[0.0, 1.0], y={"loss": [1.0]})
    naughty = Metric(
        name="short",
        about="",
        measure=lambda *_: Reading(values=(), curves=(short,)),
        of="point",
        access="ood-labels",
    )
    with pytest.raises(HarnessError, match="'short' returned a curve 'way' with 1 numbers"):
        world().read(naughty, ["a"])
