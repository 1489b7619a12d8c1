"""Random numbers per example, made the slow and obvious way: one generator per example."""

from collections.abc import Callable

import pytest
import torch


class PlainDraws:
    def __init__(self, indices: list[int], seed: int = 0) -> None:
        self.generators = [torch.Generator().manual_seed(seed * 1000003 + i) for i in indices]

    @property
    def examples(self) -> int:
        return len(self.generators)

    def uniform(self, *shape: int) -> torch.Tensor:
        return torch.stack([torch.rand(shape, generator=g) for g in self.generators])

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.stack([torch.randn(shape, generator=g) for g in self.generators])

    def permutation(self, size: int) -> torch.Tensor:
        return torch.stack([torch.randperm(size, generator=g) for g in self.generators])


@pytest.fixture
def draws_of() -> Callable[..., PlainDraws]:
    return PlainDraws


@pytest.fixture
def photos() -> torch.Tensor:
    """Twenty images of noise, 3 x 12 x 12, never quite black or white."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(40, 216, (20, 3, 12, 12), generator=generator).to(torch.uint8)
