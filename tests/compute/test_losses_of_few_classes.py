"""Cross-entropy of few classes goes another way in inference, to the same numbers."""

import pytest
import torch
import torch.nn.functional as F

from harness.compute.losses import cross_entropy


@pytest.mark.parametrize("classes", [1, 2, 10, 15, 16, 100])
def test_losses_without_gradients_are_torchs(classes: int) -> None:
    logits = 5 * torch.randn(333, classes, generator=torch.Generator().manual_seed(classes))
    targets = torch.arange(333) % classes
    exact = F.cross_entropy(logits, targets, reduction="none")

    with torch.no_grad():
        found = cross_entropy(logits, targets)

    torch.testing.assert_close(found, exact, rtol=0, atol=2e-6)
    torch.testing.assert_close(found, cross_entropy(logits, targets), rtol=0, atol=2e-6)


def test_logits_that_are_not_finite_give_what_torch_gives() -> None:
    bad = [float("inf"), float("-inf"), float("nan")]
    logits = torch.tensor([[number, 0.0, 1.0] for number in bad])
    targets = torch.tensor([0, 1, 2])

    with torch.no_grad():
        found = cross_entropy(logits, targets)

    exact = F.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(found, exact, equal_nan=True)


def test_a_stack_of_networks_keeps_its_dimension() -> None:
    logits = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([0, 1, 2, 0, 1, 2])

    with torch.no_grad():
        found = cross_entropy(logits, targets)
        alone = torch.stack([cross_entropy(one, targets) for one in logits])

    torch.testing.assert_close(found, alone, rtol=0, atol=1e-6)
