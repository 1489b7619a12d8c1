"""Blocks that are computed again in the backward pass, with the same dropout masks."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

from torch import nn
from torch.overrides import _get_current_function_mode_stack
from torch.utils.checkpoint import checkpoint


def compute_again(blocks: Sequence[nn.Module]) -> None:
    """Keep the blocks' inputs alone, and compute the rest again when gradients are taken."""
    for block in blocks:
        block.forward = _Again(block.forward, block)


class _Again:
    """A block's forward pass; an object, so that a copied module is one of its own."""

    def __init__(self, forward: Any, block: nn.Module) -> None:
        self._forward = forward
        self._block = [block]

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        if not self._block[0].training:
            return self._forward(*inputs, **named)
        return checkpoint(
            self._forward, *inputs, use_reentrant=False, context_fn=_same_modes, **named
        )


def _same_modes() -> tuple[Any, Any]:
    """Nothing for the forward pass; for the second one the modes around it, as they are now.

    The harness answers dropout calls by such a mode, which counts them: a copy that counts on from
    here gives the calls of this block the masks that they had.
    """
    modes = [copy.copy(mode) for mode in _get_current_function_mode_stack()]  # type: ignore[no-untyped-call]
    return nullcontext(), _within(modes)


@contextmanager
def _within(modes: Sequence[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for mode in modes:
            stack.enter_context(mode)
        yield
