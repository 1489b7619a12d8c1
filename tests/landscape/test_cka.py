from dataclasses import replace

import pytest
import torch
from curved import values
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import World
from harness_landscape.cka import CKA, CkaSettings, debiased, linear, minibatch, products, ratio


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


KINDS = [linear, debiased, lambda x, y: minibatch(x, y, 16)]


def turned(x):
    """A rotated, scaled and shifted copy."""
    basis = torch.linalg.qr(draw(x.shape[1], x.shape[1], seed=9))[0]
    return 3.7 * x @ basis + 5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [3, 100])
def test_rotations_scales_and_shifts_change_nothing(kind, width):
    x, y = draw(40, width), draw(40, 7, seed=1) + draw(40, width)[:, :1]
    assert kind(x, turned(x)) == pytest.approx(1)
    assert kind(x, turned(y)) == pytest.approx(kind(x, y))
    assert kind(x, y) == pytest.approx(kind(y, x))


def test_an_invertible_linear_map_does_change_it():
    x = draw(40, 5)
    assert linear(x, x @ torch.diag(torch.tensor([9.0, 3, 1, 1, 1]).double())) < 0.9


def test_in_one_dimension_it_is_the_squared_correlation():
    x = draw(50, 1)
    y = x + draw(50, 1, seed=1)
    correlation = torch.corrcoef(torch.cat([x, y], 1).T)[0, 1]
    assert linear(x, y) == pytest.approx(float(correlation**2))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_independent_features_have_no_debiased_similarity_however_many_there_are(kind):
    found = torch.tensor(
        [kind(draw(32, 200, seed=n), draw(32, 200, seed=-n)) for n in range(1, 99)]
    )
    assert abs(found.mean()) < 4 * found.std() / len(found) ** 0.5
    assert linear(draw(32, 200), draw(32, 200, seed=1)) > 0.8  # where the plain one sees much


def test_the_unbiased_estimate_is_that_of_the_gram_matrices_written_out():
    x, y = draw(9, 4), draw(9, 3, seed=1)
    k, m = x @ x.T, y @ y.T
    k, m = k - torch.diag(k.diag()), m - torch.diag(m.diag())
    one = torch.ones(9).double()
    whole = (k @ m).trace() + (one @ k @ one) * (one @ m @ one) / (8 * 7)
    exact = (whole - 2 / 7 * one @ k @ m @ one) / (9 * 6)
    torch.testing.assert_close(products(x, y)[0], exact)


def test_one_batch_of_everything_is_the_debiased_estimate():
    x, y = draw(40, 6), draw(40, 3, seed=1)
    assert minibatch(x, y, 40) == pytest.approx(debiased(x, y))
    assert minibatch(x, y, 39) == pytest.approx(debiased(x[:39], y[:39]))  # one is no batch


@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_representation_has_no_similarity(kind):
    x, y = torch.full((40, 3), 0.1).double(), draw(40, 3)
    assert kind(x, y) != kind(x, y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.body(x))


def world():
    generator = torch.Generator().manual_seed(0)

    def state():
        return {
            name: torch.randn(tensor.shape, generator=generator)
            for name, tensor in Net().state_dict().items()
        }

    a = state()
    order = torch.randperm(6, generator=generator)
    permuted = {
        "body.0.weight": a["body.0.weight"][order],
        "body.0.bias": a["body.0.bias"][order],
        "head.weight": a["head.weight"][:, order],
        "head.bias": a["head.bias"],
    }
    data = torch.randn(50, 4, generator=generator), torch.arange(50) % 3
    splits = {"train": data, "test": data, "ood-far": (data[0] * 3, data[1])}
    runs = {"a": a, "b": state(), "permuted": permuted}
    return World(Net(), splits, runs, features=("body", "head"))


def test_a_permuted_copy_represents_the_same():
    found = values(world().read(CKA, ["a", "permuted"]))
    for kind in ("linear", "debiased", "minibatch"):
        assert found[f"{kind}-body"] == pytest.approx(1)
        assert found[f"{kind}-head"] == pytest.approx(1)


def test_the_order_of_the_examples_does_not_decide_what_batches_show():
    here = world()
    generator = torch.Generator().manual_seed(1)
    classes = 4 * torch.randn(10, 4, generator=generator).repeat_interleave(40, 0)
    inputs = classes + 0.3 * torch.randn(400, 4, generator=generator)  # sorted by class
    splits = {"train": here.splits["train"], "test": (inputs, torch.arange(400) // 40)}
    found = values(replace(here, splits=splits).read(CKA, ["a", "b"], CkaSettings(batch=40)))
    assert found["minibatch-body"] == pytest.approx(found["debiased-body"], abs=0.02)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_than_four_examples_have_no_unbiased_estimate_and_raise_nothing(count):
    here = world()
    few = {name: (x[:count], y[:count]) for name, (x, y) in here.splits.items()}
    found = values(replace(here, splits=few).read(CKA, ["a", "b"]))
    assert all(found[f"{kind}-body"] != found[f"{kind}-body"] for kind in ("debiased", "minibatch"))
    assert (found["linear-body"] == found["linear-body"]) == (count > 1)


def test_estimates_below_0_of_both_runs_do_not_make_a_number():
    both, one, two = torch.tensor([0.1, -0.2, -0.3]).double()
    assert ratio(both, one, two) != ratio(both, one, two)


def test_every_split_is_read_on_the_examples_that_are_stated():
    reading = world().read(CKA, ["a", "b"], CkaSettings(examples=20))
    assert reading.protocol["examples"] == {"test": 20, "ood-far": 20}
    assert {value.split for value in reading.values} == {"test", "ood-far"}
    assert all(0 < value.value < 1 for value in reading.values if "linear" in value.name)
    assert reading.cost.forward == 2 * 2 * 20


def test_it_looks_at_inputs_and_never_at_labels():
    here = world()
    assert here.read(CKA, ["a", "b"]).protocol["access"] == "ood-inputs"
    narrow = here.probe("a", "b", access="id")
    with pytest.raises(HarnessError, match="'ood-inputs'"):
        narrow.features(narrow.weights(), "ood-far")


def test_a_diverged_run_has_no_similarity():
    here = world()
    here.runs["b"]["body.0.weight"].fill_(float("nan"))
    assert all(v.value != v.value for v in here.read(CKA, ["a", "b"]).values)
