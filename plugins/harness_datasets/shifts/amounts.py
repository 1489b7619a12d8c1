"""How much: one number for all examples, or a range that each example draws from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Draws


def _ordered(value: float | tuple[float, float]) -> float | tuple[float, float]:
    if isinstance(value, tuple) and value[0] > value[1]:
        raise ValueError("the range must go from low to high")
    return value


def _not_negative(value: float | tuple[float, float]) -> float | tuple[float, float]:
    if (value[0] if isinstance(value, tuple) else value) < 0:
        raise ValueError("must not be negative")
    return value


Amount = Annotated[float | tuple[float, float], AfterValidator(_ordered)]
"""A number, or `[low, high]` for a uniform draw per example."""

Strength = Annotated[Amount, AfterValidator(_not_negative)]
"""An amount that cannot be negative."""


def drawn(amount: float | tuple[float, float], draws: Draws) -> Tensor:
    """The amount for each example, float32 [n]; draws nothing where it is one number."""
    import torch

    if isinstance(amount, tuple):
        low, high = amount
        return low + (high - low) * draws.uniform()
    return torch.full((draws.examples,), float(amount))
