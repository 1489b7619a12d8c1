"""A built model: the module and what the engine must know about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.api.attention import Attention as Attention
from harness.api.symmetries import Symmetry as Symmetry

if TYPE_CHECKING:
    from torch import Tensor, nn


def as_is(output: Any) -> Tensor:
    """The module's output is the logits already (`Any`: a module may return anything)."""
    return output  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Network:
    """A module on the CPU, called as `module(**inputs)`.

    `head` holds the prefixes of the parameter names of the task head ("head." or "fc."): what a
    linear probe trains and what is drawn afresh for new classes. `logits` takes the module's
    output to logits [batch, classes]. `features` names the modules whose outputs are features.
    `symmetries` are the orders of units that are free, which other runs may have differently.
    `attention` names the blocks whose attention can be looked into.
    A module that `torch.func.vmap` cannot run sets `stackable=False` with a reason.
    """

    module: nn.Module
    head: tuple[str, ...]
    logits: Callable[[Any], Tensor] = as_is
    features: tuple[str, ...] = ()
    stackable: bool = True
    why_not_stackable: str = ""
    symmetries: tuple[Symmetry, ...] = ()
    attention: tuple[Attention, ...] = ()
