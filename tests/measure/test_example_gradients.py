import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.measure import layers
from harness.measure.scene import Budget
from harness.testing.scenes import World


class Words(nn.Module):
    """A small transformer: embedding, attention by hand, layer norm, linear layers."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 4, padding_idx=0)
        self.place = nn.Embedding(5, 4)
        self.mix = nn.Linear(4, 12)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 3, bias=False)

    def forward(self, x):
        h = self.embed(x) + self.place(torch.arange(5)[None])
        q, k, v = self.mix(h).chunk(3, -1)
        h = h + (q @ k.mT / 2).softmax(-1) @ v
        return self.head(torch.relu_(self.norm(h)).mean(1))


class Pictures(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(2, 3, 3, stride=2, padding=1)
        self.two = nn.Conv2d(3, 4, 2, bias=False)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.two(self.one(x).relu_()).mean((2, 3)))


class Twice(nn.Module):
    """A layer that runs twice: its gradient is a sum."""

    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)

    def forward(self, x):
        return self.one(self.one(x).tanh())


class Behind(nn.Module):
    """A weight that is also used without calling its layer."""

    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)

    def forward(self, x):
        return self.one(x).tanh() @ self.one.weight


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)
        self.two = nn.Linear(3, 3)
        self.two.weight = self.one.weight

    def forward(self, x):
        return self.two(self.one(x).tanh())


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 3))

    def forward(self, x):
        return self.body(x)


class Branching(nn.Module):
    """It looks at its input, which no transform over examples can follow."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return x * self.scale if float(x.sum()) != 0 else x


CLOSED = (Words, Pictures)


def world(kind, budget=None):
    generator = torch.Generator().manual_seed(0)
    module = kind().double().eval()
    state = {
        name: torch.rand(t.shape, dtype=torch.float64, generator=generator) + 0.1
        if t.is_floating_point()
        else t
        for name, t in module.state_dict().items()
    }
    if kind is Tied:
        state["two.weight"] = state["one.weight"]
    if kind is Words:
        x = torch.randint(0, 7, (9, 5), generator=generator)
    else:
        shape = (9, 2, 6, 6) if kind is Pictures else (9, 3)
        x = torch.randn(*shape, dtype=torch.float64, generator=generator)
    data = x, torch.arange(9) % 3
    return World(module, {"train": data}, {"a": state}, budget=budget or Budget())


def exact(probe, here):
    """One backward pass per example."""
    x, y = here.splits["train"]
    rows = []
    for place in range(len(y)):
        data = {"train": (x[place : place + 1], y[place : place + 1])}
        alone = World(here.module, data, here.runs).probe("a")
        rows.append(alone.gradient(alone.weights(), "train"))
    return torch.stack(rows)


@pytest.mark.parametrize("kind", [Words, Pictures, Twice, Behind, Tied, Normed, Branching])
@pytest.mark.parametrize("budget", [Budget(), Budget(batch=1)])
def test_gradients_and_their_norms_are_those_of_single_examples(kind, budget):
    here = world(kind, budget)
    probe = here.probe("a")
    rows = torch.cat(list(probe.example_gradients(probe.weights(), "train")))
    wanted = exact(probe, here)
    torch.testing.assert_close(rows, wanted)
    torch.testing.assert_close(rows.mean(0), probe.gradient(probe.weights(), "train"))
    norms = probe.example_gradient_norms(probe.weights(), "train")
    torch.testing.assert_close(norms, wanted.square().sum(1))


@pytest.mark.parametrize("kind", CLOSED)
def test_norms_of_known_layers_take_one_pass_and_no_gradients(kind, monkeypatch):
    probe = world(kind).probe("a")
    taken = []
    squares = layers.squares
    monkeypatch.setattr(
        "harness.measure.gradients.squares", lambda *told: taken.append(1) or squares(*told)
    )
    probe.example_gradient_norms(probe.weights(), "train")
    assert probe.ledger.cost().backward == 9 + 4  # and two examples tried out both ways
    assert taken


def test_rows_come_in_parts_that_fit_the_budget():
    here = world(Pictures, Budget(batch=9000))
    probe = here.probe("a")
    sizes = [len(rows) for rows in probe.example_gradients(probe.weights(), "train")]
    assert sum(sizes) == 9
    assert 1 < max(sizes) < 9


def test_norms_leave_no_hook_behind():
    here = world(Words)
    probe = here.probe("a")
    probe.example_gradient_norms(probe.weights(), "train")
    assert not any(part._forward_hooks for part in here.module.modules())


def test_norms_at_other_targets_look_at_inputs_only():
    here = world(Words)
    x, y = here.splits["train"]
    given = (y + 1) % 3
    probe = World(here.module, {"ood-far": (x, y)}, here.runs).probe("a", access="ood-inputs")
    norms = probe.example_gradient_norms(probe.weights(), "ood-far", targets=given)
    other = World(here.module, {"train": (x, given)}, here.runs).probe("a")
    exact = other.example_gradient_norms(other.weights(), "train")
    torch.testing.assert_close(norms, exact)
    with pytest.raises(HarnessError, match="'ood-labels'"):
        probe.example_gradient_norms(probe.weights(), "ood-far")
