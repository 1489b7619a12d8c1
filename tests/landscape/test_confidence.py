import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import World
from harness_landscape.confidence import CONFIDENCE, ConfidenceSettings


class Passing(nn.Module):
    """Inputs are logits already, times one weight."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, x):
        return x * self.scale


def world(**splits):
    ready = {name.replace("_", "-"): data for name, data in splits.items()}
    ready.setdefault("train", next(iter(ready.values())))
    return World(Passing(), ready, {"a": {"scale": torch.ones(()).double()}})


def sure(*probabilities):
    """Logits of two classes, the first with these probabilities."""
    chances = torch.tensor(probabilities).double()
    return torch.stack([chances.log(), (1 - chances).log()], 1)


def read(scene, **settings):
    return scene.read(CONFIDENCE, ["a"], ConfidenceSettings(**settings))


def values(reading, split):
    return {value.name: value.value for value in reading.values if value.split == split}


def errors(reading, split):
    return {value.name: value.standard_error for value in reading.values if value.split == split}


def test_confidence_entropy_and_margin_are_those_of_the_probabilities():
    scene = world(test=(sure(0.9, 0.4), torch.tensor([0, 0])))
    found = values(read(scene), "test")
    assert found["mean-confidence"] == pytest.approx((0.9 + 0.6) / 2)
    assert found["mean-margin"] == pytest.approx((0.8 + 0.2) / 2)
    entropy = -sum(p * math.log(p) for p in (0.9, 0.1, 0.4, 0.6)) / 2
    assert found["mean-entropy"] == pytest.approx(entropy)
    assert errors(read(scene), "test")["mean-confidence"] == pytest.approx(0.15)
    assert "doc" not in found


def test_atc_and_doc_are_what_they_are_by_hand():
    own = sure(0.9, 0.8, 0.7, 0.6), torch.tensor([0, 0, 0, 1])  # one of four is wrong
    far = sure(0.95, 0.65, 0.05, 0.55, 0.75), torch.zeros(5).long()
    reading = read(world(test=own, ood_far=far))
    found = values(reading, "ood-far")
    assert found["atc-confidence"] == found["atc-entropy"] == pytest.approx(3 / 5)
    assert found["doc"] == pytest.approx(0.75 - (0.75 - (0.95 + 0.65 + 0.95 + 0.55 + 0.75) / 5))
    assert errors(reading, "ood-far")["atc-confidence"] == pytest.approx((0.3 / 5) ** 0.5)
    assert reading.protocol["source"] == "test"


def test_a_source_without_mistakes_predicts_none_and_one_without_hits_nothing_but():
    far = sure(0.55, 0.99), torch.zeros(2).long()
    right = sure(0.9, 0.8), torch.tensor([0, 0])
    assert values(read(world(test=right, ood_x=right)), "ood-x")["atc-confidence"] == 1
    wrong = sure(0.9, 0.8), torch.tensor([1, 1])
    assert values(read(world(test=wrong, ood_x=far)), "ood-x")["atc-confidence"] == 0


def test_the_source_predicts_its_own_accuracy():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(500, 4, generator=generator, dtype=torch.float64)
    targets = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    accuracy = float((logits.argmax(1) == targets).double().mean())
    found = values(read(world(test=(logits, targets), again=(logits, targets))), "again")
    for name in ("atc-confidence", "atc-entropy", "doc"):
        assert found[name] == pytest.approx(accuracy, abs=1e-12)


def drawn(number, spread, count=400):
    """Logits, and labels that follow their softmax: confidence is accuracy."""
    generator = torch.Generator().manual_seed(number)
    logits = spread * torch.randn(count, 5, generator=generator, dtype=torch.float64)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]


def test_doc_is_right_where_confidence_is_and_its_standard_error_is_honest():
    found, stated, truth = [], [], []
    for number in range(60):
        own, far = drawn(2 * number, 3.0), drawn(2 * number + 1, 1.0)
        reading = read(world(test=own, ood_far=far))
        found.append(values(reading, "ood-far")["doc"])
        stated.append(errors(reading, "ood-far")["doc"])
        truth.append(float(far[0].softmax(1).max(1).values.mean()))
    off = torch.tensor(found) - torch.tensor(truth).mean()
    spread = float(off.std())
    assert abs(float(off.mean())) < 4 * spread / len(found) ** 0.5
    assert float(torch.tensor(stated).square().mean().sqrt()) == pytest.approx(spread, rel=0.3)


def test_it_looks_at_ood_inputs_and_never_at_their_labels():
    far = drawn(1, 1.0)
    other = far[0], (far[1] + 1) % 5
    one, two = (read(world(test=drawn(0, 2.0), ood_far=data)) for data in (far, other))
    assert one.values == two.values
    assert one.protocol["access_by_split"] == {"test": "id", "ood-far": "ood-inputs"}
    assert one.protocol["access"] == "ood-inputs"
    assert one.cost.forward == 800


def test_in_domain_splits_alone_make_a_legal_predictor():
    reading = read(world(test=drawn(0, 2.0), validation=drawn(1, 2.0)))
    assert reading.protocol["access"] == "id"
    assert "doc" in values(reading, "validation")


def test_without_a_source_there_are_means_and_no_predictions():
    reading = read(World(Passing(), {"ood-far": drawn(0, 1.0)}, world(test=drawn(0, 1)).runs))
    assert set(values(reading, "ood-far")) == {"mean-confidence", "mean-entropy", "mean-margin"}
    assert reading.protocol["source"] is None


def test_a_diverged_run_predicts_nothing_and_raises_nothing():
    scene = world(test=drawn(0, 2.0), ood_far=drawn(1, 1.0))
    scene.runs["a"]["scale"].fill_(float("nan"))
    reading = read(scene)
    assert all(math.isnan(value.value) for value in reading.values)
    assert all(value.standard_error is None for value in reading.values)


def test_probabilities_of_zero_have_no_entropy_and_overflow_nothing():
    logits = torch.tensor([[5000.0, -5000.0], [-5000.0, 5000.0]]).double()
    found = values(read(world(test=(logits, torch.tensor([0, 0])))), "test")
    assert found["mean-confidence"] == 1
    assert found["mean-entropy"] == 0


def test_access_is_enforced():
    probe = world(test=drawn(0, 1.0), ood_far=drawn(1, 1.0)).probe("a", access="ood-inputs")
    with pytest.raises(HarnessError, match="ood-far"):
        probe.targets("ood-far")
