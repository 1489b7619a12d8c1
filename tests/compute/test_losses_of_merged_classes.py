"""Losses and errors where a target is a set of the model's classes."""

import torch
from torch.func import grad, vmap

from harness.compute.losses import (
    codes,
    cross_entropy,
    errors,
    merged_cross_entropy,
    merged_errors,
)

MERGED = [[0], [1, 2]]


def drawn(n=50, classes=3):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(n, classes, generator=generator).double()
    return logits, torch.randint(0, 2, (n,), generator=generator)


def test_the_loss_of_a_merged_class_is_minus_the_logarithm_of_the_sum_of_its_probabilities():
    logits, targets = drawn()
    p = logits.softmax(-1)
    sums = torch.stack([p[:, 0], p[:, 1] + p[:, 2]], 1)
    expected = -sums[torch.arange(50), targets].log()
    torch.testing.assert_close(merged_cross_entropy(logits, codes(targets, MERGED)), expected)


def test_the_error_goes_by_the_largest_logit_and_not_by_the_largest_sum():
    p = torch.tensor([[0.4, 0.3, 0.3], [0.3, 0.4, 0.3]])
    targets = codes(torch.tensor([0, 0]), MERGED)
    assert merged_errors(p.log(), targets).tolist() == [0.0, 1.0]
    assert merged_errors(p.log(), codes(torch.tensor([1, 1]), MERGED)).tolist() == [1.0, 0.0]


def test_what_is_not_finite_is_wrong():
    logits = torch.tensor([[float("nan"), 0.0, 0.0], [0.0, float("inf"), 0.0]])
    assert merged_errors(logits, codes(torch.tensor([1, 1]), MERGED)).tolist() == [1.0, 1.0]


def test_plain_targets_beside_merged_ones_give_exactly_what_they_give_alone():
    logits, _ = drawn()
    targets = torch.arange(50) % 3
    assert torch.equal(merged_cross_entropy(logits, targets), cross_entropy(logits, targets))
    assert torch.equal(merged_errors(logits, targets), errors(logits, targets))


def test_merged_losses_have_gradients_under_vmap():
    logits, targets = drawn()
    stacked = torch.stack([logits, logits + 1, 2 * logits])
    sets = codes(targets, MERGED)

    def total(values):
        return merged_cross_entropy(values, sets).sum()

    found = vmap(grad(total))(stacked)
    assert found.isfinite().all()
    torch.testing.assert_close(found[0], grad(total)(logits))
    losses = vmap(lambda values: merged_cross_entropy(values, sets))(stacked)
    torch.testing.assert_close(losses[2], merged_cross_entropy(stacked[2], sets))
    assert vmap(lambda values: merged_errors(values, sets))(stacked).shape == (3, 50)
