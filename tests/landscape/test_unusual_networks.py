"""Networks and data at the edge of what there is: scalars, one example, one class, frozen parts."""

import pytest
import torch
from curved import errors, values
from torch import nn
from torch.nn import functional

from harness.measure.scene import Budget
from harness.testing.scenes import World
from harness_landscape import harness_metrics

OFFERS = {offer.name: offer for offer in harness_metrics()}


class Tempered(nn.Module):
    """Two layers and a temperature: a parameter without a dimension."""

    def __init__(self, classes=3):
        super().__init__()
        self.one, self.two = nn.Linear(4, 5), nn.Linear(5, classes)
        self.temperature = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return self.temperature * self.two(torch.relu(self.one(x)))


class Halved(nn.Module):
    """The first layer's weights are frozen."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(4, 5), nn.Linear(5, 3)
        self.one.weight.requires_grad_(False)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))


def world(module, examples=12, classes=3, **told):
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.randn(tensor.shape, generator=generator)
        for name, tensor in module.state_dict().items()
    }
    data = torch.randn(examples, 4, generator=generator), torch.arange(examples) % classes
    return World(module, {"train": data, "test": data}, {"a": state}, **told)


def read(here, name, **settings):
    return here.read(OFFERS[name], ["a"], OFFERS[name].settings(**settings))


def dense(here):
    """Hessian of the loss, and gradients of single examples, in double precision."""
    state = {name: tensor.double() for name, tensor in here.runs["a"].items()}
    names = [name for name, p in here.module.named_parameters() if p.requires_grad]
    x, y = here.splits["train"]

    def losses(vector):
        parts = vector.split([state[name].numel() for name in names])
        own = {n: p.reshape(state[n].shape) for n, p in zip(names, parts, strict=True)}
        outputs = torch.func.functional_call(here.module, {**state, **own}, (x.double(),))
        return functional.cross_entropy(outputs, y, reduction="none")

    start = torch.cat([state[name].reshape(-1) for name in names])
    hessian = torch.autograd.functional.hessian(lambda vector: losses(vector).mean(), start)
    return hessian, torch.autograd.functional.jacobian(losses, start)


@pytest.mark.parametrize("batch", [64 * 2**20, 1])
def test_a_parameter_without_a_dimension_is_one_like_any_other(batch):
    here = world(Tempered(), budget=Budget(batch=batch))
    hessian, gradients = dense(here)
    top = torch.linalg.eigvalsh(hessian)[-1]
    found = values(read(here, "hessian-top", k=1, which="value"))
    assert found["eigenvalue-1"] == pytest.approx(float(top), rel=1e-4)
    traces = values(read(here, "hessian-trace", sketch=44, per_module=True))
    assert traces["trace"] == pytest.approx(float(hessian.trace()), rel=1e-4)
    assert traces["trace[itself]"] == pytest.approx(float(hessian[0, 0]), rel=1e-3, abs=1e-5)
    found = values(read(here, "fisher"))
    assert found["empirical-trace"] == pytest.approx(float(gradients.square().sum(1).mean()))
    assert 0 <= values(read(here, "gradient-subspace"))["overlap"] <= 1


def test_one_example_has_gradients_and_no_spread():
    here = world(Tempered(), examples=1)
    reading = read(here, "fisher")
    _, gradients = dense(here)
    found = values(reading)
    assert found["empirical-trace"] == pytest.approx(float(gradients.square().sum()))
    assert found["covariance-trace"] == pytest.approx(0, abs=1e-6 * found["empirical-trace"])
    assert set(errors(reading).values()) == {None}


def test_a_network_of_one_class_is_always_sure():
    found = values(read(world(Tempered(classes=1), classes=1), "confidence"))
    assert found == {"mean-confidence": 1.0, "mean-entropy": 0.0, "mean-margin": 1.0}


def test_frozen_weights_are_squared_along_paths_like_all_others():
    plain = world(Halved())
    state = plain.runs["a"]
    one, two = (state[f"{name}.weight"].double().square() for name in ("one", "two"))
    first, second = (state[f"{name}.bias"].double().square() for name in ("one", "two"))
    sum_over_paths = (two @ (one.sum(1) + first) + second).sum()
    found = values(read(plain, "norms"))["path"]
    assert found == pytest.approx(float(sum_over_paths.sqrt()))


def test_gradients_by_frozen_weights_do_not_count_even_if_the_first_inputs_are_blank():
    here = world(Halved())
    here.splits["train"][0][:2] = 0.0
    _, gradients = dense(here)
    found = values(read(here, "fisher"))["empirical-trace"]
    assert found == pytest.approx(float(gradients.square().sum(1).mean()))
