import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.api.errors import HarnessError
from harness.testing.scenes import World
from harness_landscape.id_score import ID_SCORE, IdScoreSettings


class Passing(nn.Module):
    """Inputs are logits already, times one weight."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, x):
        return x * self.scale


def world(**splits):
    ready = {name.replace("_", "-"): data for name, data in splits.items()}
    return World(Passing(), ready, {"a": {"scale": torch.ones(()).double()}})


def drawn(number, count=300):
    generator = torch.Generator().manual_seed(number)
    logits = 2 * torch.randn(count, 4, generator=generator, dtype=torch.float64)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]


def test_accuracy_and_loss_are_means_over_examples_with_their_standard_errors():
    logits, targets = drawn(0)
    reading = world(train=drawn(1), test=(logits, targets)).read(ID_SCORE, ["a"])
    accuracy, loss = reading.values
    right = (logits.argmax(1) == targets).double()
    losses = functional.cross_entropy(logits, targets, reduction="none")
    assert (accuracy.name, loss.name) == ("accuracy", "loss")
    assert accuracy.value == pytest.approx(float(right.mean()))
    assert loss.value == pytest.approx(float(losses.mean()))
    binomial = math.sqrt(accuracy.value * (1 - accuracy.value) / 299)
    assert accuracy.standard_error == pytest.approx(binomial)
    assert loss.standard_error == pytest.approx(float(losses.std()) / 300**0.5)


def test_standard_errors_are_those_of_the_spread_over_test_sets():
    found, stated = [], []
    for number in range(60):
        accuracy = world(train=drawn(0, 5), test=drawn(number)).read(ID_SCORE, ["a"]).values[0]
        found.append(accuracy.value)
        stated.append(accuracy.standard_error)
    spread = float(torch.tensor(found).std())
    assert float(torch.tensor(stated).mean()) == pytest.approx(spread, rel=0.3)


def test_it_reads_in_domain_splits_and_leaves_ood_ones_alone():
    scene = world(train=drawn(0), test=drawn(1), validation=drawn(2), ood_far=drawn(3))
    reading = scene.read(ID_SCORE, ["a"], IdScoreSettings(examples=100))
    assert {value.split for value in reading.values} == {"test", "validation"}
    assert reading.protocol["access"] == "id"
    assert reading.protocol["examples"] == {"test": 100, "validation": 100}
    with pytest.raises(HarnessError, match="no in-domain split"):
        world(train=drawn(0), ood_far=drawn(3)).read(ID_SCORE, ["a"])


def test_a_diverged_run_has_no_score():
    scene = world(train=drawn(0), test=drawn(1))
    scene.runs["a"]["scale"].fill_(float("nan"))
    reading = scene.read(ID_SCORE, ["a"])
    assert all(math.isnan(value.value) for value in reading.values)
    assert all(value.standard_error is None for value in reading.values)
