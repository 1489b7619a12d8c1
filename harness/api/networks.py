"""A built model: the module and what the engine must know about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.api.attention import Attention as Attention
from harness.api.symmetries import Symmetry as Symmetry

if TYPE_CHECKING:
    from torch import Tensor, nn


def as_is(output: Any) -> Tensor:
    """The module's output is the logits already (`Any`: a module may return anything)."""
    return output  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Language:
    """How a network is trained on text without labels; its logits are [batch, length, tokens].

    "next-token" predicts every token from those before it. "masked-language" predicts a drawn
    `share` of the tokens (none that is `special`), of which 80 % are replaced by `mask`, 10 % by a
    drawn token and 10 % are left (Devlin et al. 2019, arXiv 1810.04805).

    `at_places`: of masked language the module also takes `places` [batch, k] (int64), and gives
    logits [batch, k, tokens] of these alone, which spares most of the head's work.
    """

    objective: Literal["next-token", "masked-language"]
    tokens: int
    mask: int = -1
    special: tuple[int, ...] = ()
    share: float = 0.15
    at_places: bool = False


@dataclass(frozen=True)
class Network:
    """A module on the CPU, called as `module(**inputs)`.

    `head` holds the prefixes of the parameter names of the task head ("head." or "fc."): what a
    linear probe trains and what is drawn afresh for new classes. `logits` takes the module's
    output to logits [batch, classes]. `features` names the modules whose outputs are features.
    `symmetries` are the orders of units that are free, which other runs may have differently.
    `attention` names the blocks whose attention can be looked into.
    `language` says how it learns where the task is language.
    `layers` are prefixes of parameter names, from the bottom up, for learning rates that fall layer
    by layer: what none of them names (the head) is the top.
    `recomputed` names modules whose activations are not kept in training but computed again for the
    gradient (gradient checkpointing): less memory for more time. Such a network is trained alone.
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
    language: Language | None = None
    layers: tuple[tuple[str, ...], ...] = ()
    recomputed: tuple[str, ...] = ()
