import math

import pytest
import torch
from sklearn.metrics import cohen_kappa_score, f1_score, jaccard_score
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import World
from harness_landscape.agreement import AGREEMENT
from harness_landscape.shared_mistakes import SHARED_MISTAKES

MISTAKES = ("jaccard", "conditional", "same-wrong-label", "error-inconsistency", "error-kappa")


class Table(nn.Module):
    """A run's logits are read off the example: inputs [n, runs, classes], weights [runs]."""

    def __init__(self, runs=2):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(runs))

    def forward(self, x):
        return torch.einsum("nrc,r->nc", x, self.w)


def answering(first, second, targets, classes=3):
    """A world where run a answers `first` and run b `second` on every split."""
    answers = torch.stack([torch.as_tensor(first), torch.as_tensor(second)], 1)
    data = nn.functional.one_hot(answers, classes).float(), torch.as_tensor(targets)
    runs = {"a": {"w": torch.tensor([1.0, 0.0])}, "b": {"w": torch.tensor([0.0, 1.0])}}
    return World(Table(), {"train": data, "test": data, "ood-far": data}, runs)


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


TARGETS = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
FIRST = [0, 0, 1, 1, 1, 2, 2, 2, 0, 1]
SECOND = [0, 0, 1, 1, 0, 1, 2, 1, 0, 0]


def test_answers_are_counted_as_by_hand():
    world = answering(FIRST, SECOND, TARGETS)
    agreement = values(world.read(AGREEMENT, ["a", "b"]))
    assert agreement["agreement"] == pytest.approx(6 / 10)
    assert agreement["by-chance"] == pytest.approx(0.3 * 0.5 + 0.4 * 0.4 + 0.3 * 0.1)
    mistakes = values(world.read(SHARED_MISTAKES, ["a", "b"]))
    # a errs at 2, 5, 8, 9; b at 2, 4, 7, 8, 9; both at 2, 8, 9; alike at 2 and 8
    assert mistakes["jaccard"] == pytest.approx(3 / 6)
    assert mistakes["conditional"] == pytest.approx(3 / 4.5)
    assert mistakes["same-wrong-label"] == pytest.approx(2 / 3)
    assert mistakes["error-inconsistency"] == pytest.approx(3 / 10)
    assert mistakes["error-kappa"] == pytest.approx((0.7 - 0.5) / 0.5)


def test_they_are_what_scikit_learn_counts():
    generator = torch.Generator().manual_seed(0)
    first, second, targets = torch.randint(4, (3, 200), generator=generator)
    second = torch.where(torch.rand(200, generator=generator) < 0.5, first, second)
    world = answering(first, second, targets, classes=4)
    found = values(world.read(AGREEMENT, ["a", "b"]))
    assert found["kappa"] == pytest.approx(cohen_kappa_score(first, second))
    found = values(world.read(SHARED_MISTAKES, ["a", "b"]))
    wrong, also = first != targets, second != targets
    assert found["jaccard"] == pytest.approx(jaccard_score(wrong, also))
    assert found["conditional"] == pytest.approx(f1_score(wrong, also))
    assert found["error-kappa"] == pytest.approx(cohen_kappa_score(wrong, also))


def test_inconsistency_in_units_of_independent_mistakes_is_one_minus_kappa():
    found = values(answering(FIRST, SECOND, TARGETS).read(SHARED_MISTAKES, ["a", "b"]))
    independent = 0.4 * (1 - 0.5) + 0.5 * (1 - 0.4)
    assert 1 - found["error-kappa"] == pytest.approx(found["error-inconsistency"] / independent)


def test_reported_standard_errors_agree_with_the_spread_over_samples():
    """Two runs that err at 40 and 30 % and copy each other half of the time."""
    generator = torch.Generator().manual_seed(1)
    found: dict[str, list[tuple[float, float]]] = {}
    size, repeats = 300, 150
    for _ in range(repeats):
        targets = torch.randint(4, (size,), generator=generator)

        def answers(error, targets=targets):
            other = (targets + torch.randint(1, 4, (size,), generator=generator)) % 4
            return torch.where(torch.rand(size, generator=generator) < error, other, targets)

        first, second = answers(0.4), answers(0.3)
        second = torch.where(torch.rand(size, generator=generator) < 0.5, first, second)
        world = answering(first, second, targets, classes=4)
        for metric in (AGREEMENT, SHARED_MISTAKES):
            for value in world.read(metric, ["a", "b"]).values:
                if value.split == "test" and not value.detail:
                    found.setdefault(value.name, []).append((value.value, value.standard_error))
    both = 0.5 * 0.4 + 0.5 * 0.4 * 0.3
    second_error = 0.5 * 0.4 + 0.5 * 0.3
    exact = {
        "agreement": 0.5 + 0.5 * (0.6 * 0.7 + 0.4 * 0.3 / 3),
        "jaccard": both / (0.4 + second_error - both),
        "conditional": both / ((0.4 + second_error) / 2),
        "same-wrong-label": (0.5 * 0.4 + 0.5 * 0.12 / 3) / both,
        "error-inconsistency": 0.4 + second_error - 2 * both,
    }
    for name, pairs in found.items():
        numbers, errors = torch.tensor(pairs, dtype=torch.float64).T
        spread = numbers.std().item()
        assert errors.mean().item() == pytest.approx(spread, rel=0.25), name
        if name in exact:
            assert abs(numbers.mean().item() - exact[name]) < 4 * spread / repeats**0.5, name
    assert set(found) == {"agreement", "kappa", *MISTAKES}


def test_independent_answers_have_no_kappa():
    generator = torch.Generator().manual_seed(2)
    first, second, targets = torch.randint(3, (3, 20_000), generator=generator)
    world = answering(first, second, targets)
    for metric, name in ((AGREEMENT, "kappa"), (SHARED_MISTAKES, "error-kappa")):
        values_ = [value for value in world.read(metric, ["a", "b"]).values if value.name == name]
        assert abs(values_[0].value) < 4 * values_[0].standard_error


def test_the_order_of_the_two_runs_does_not_matter():
    world = answering(FIRST, SECOND, TARGETS)
    for metric in (AGREEMENT, SHARED_MISTAKES):
        there, back = (world.read(metric, pair) for pair in (["a", "b"], ["b", "a"]))
        assert values(there) == pytest.approx(values(back))


def test_a_permuted_copy_with_rescaled_units_agrees_always_and_errs_alike():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(5, 6), nn.Linear(6, 3)

        def forward(self, x):
            return self.two(torch.relu(self.one(x)))

    generator = torch.Generator().manual_seed(3)
    a = {n: torch.randn(t.shape, generator=generator) for n, t in Net().state_dict().items()}
    scale, order = torch.rand(6, generator=generator) + 0.5, torch.arange(5, -1, -1)
    b = {
        "one.weight": (scale[:, None] * a["one.weight"])[order],
        "one.bias": (scale * a["one.bias"])[order],
        "two.weight": (a["two.weight"] / scale)[:, order],
        "two.bias": a["two.bias"],
    }
    data = torch.randn(50, 5, generator=generator), torch.arange(50) % 3
    world = World(Net(), {"train": data, "test": data}, {"a": a, "b": b})
    found = values(world.read(AGREEMENT, ["a", "b"]))
    assert (found["agreement"], found["kappa"]) == (1.0, 1.0)
    found = values(world.read(SHARED_MISTAKES, ["a", "b"]))
    assert [found[name] for name in MISTAKES] == [1.0, 1.0, 1.0, 0.0, 1.0]


def test_agreement_looks_at_no_ood_label_and_mistakes_do():
    world = answering(FIRST, SECOND, TARGETS)
    assert AGREEMENT.access == "ood-inputs"
    reading = world.read(AGREEMENT, ["a", "b"])
    assert reading.protocol["access_by_split"]["ood-far"] == "ood-inputs"
    reading = world.read(SHARED_MISTAKES, ["a", "b"])
    assert reading.protocol["access_by_split"]["ood-far"] == "ood-labels"
    probe = world.probe("a", "b", access=AGREEMENT.access)
    with pytest.raises(HarnessError, match="ood-far"):
        probe.targets("ood-far")


def test_the_two_metrics_pay_for_one_forward_pass_per_run_and_split():
    world = answering(FIRST, SECOND, TARGETS)
    shared = world.shared()
    assert world.read(AGREEMENT, ["a", "b"], shared=shared).cost.forward == 2 * 2 * 10
    assert world.read(SHARED_MISTAKES, ["b", "a"], shared=shared).cost.forward == 0


def test_runs_without_mistakes_share_none():
    found = values(answering(TARGETS, TARGETS, TARGETS).read(SHARED_MISTAKES, ["a", "b"]))
    assert found["error-inconsistency"] == 0.0
    for name in ("jaccard", "conditional", "same-wrong-label", "error-kappa"):
        assert math.isnan(found[name])


def test_two_runs_that_always_give_one_answer_have_no_kappa():
    found = values(answering([1, 1], [1, 1], [0, 1]).read(AGREEMENT, ["a", "b"]))
    assert found["agreement"] == 1.0
    assert math.isnan(found["kappa"])


def test_a_diverged_run_agrees_with_nobody_and_errs_always():
    world = answering(TARGETS, TARGETS, TARGETS)
    for key in "ab":
        world.runs[key]["w"].fill_(math.nan)
    assert values(world.read(AGREEMENT, ["a", "b"]))["agreement"] == 0.0
    found = values(world.read(SHARED_MISTAKES, ["a", "b"]))
    assert (found["jaccard"], found["same-wrong-label"]) == (1.0, 0.0)
