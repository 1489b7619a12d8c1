"""Modules that keep no activations for the backward pass: it computes them again."""

import contextlib
import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from harness.api.errors import HarnessError
from harness.compute.dropout import StreamDropout

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


def recompute(module: nn.Module, names: Sequence[str], dropout: StreamDropout | None) -> None:
    """Let the named modules do so in training; changes their `forward`.

    What they drop the second time is what they dropped the first time: the count of calls, from
    which masks are drawn, goes back to where it stood.

    Raises:
        HarnessError: there is no such module, or it holds a batch norm, which would count twice.
    """
    modules = dict(module.named_modules())
    for name in names:
        part = modules.get(name)
        if part is None:
            raise HarnessError(f"the model recomputes {name!r}, but has no such module")
        if any(isinstance(each, _BatchNorm) for each in part.modules()):
            raise HarnessError(
                f"the model recomputes {name!r}, whose batch norm would see each batch twice",
                fix="leave it out of the Network's `recomputed`",
            )
        part.forward = functools.partial(_again, part, part.forward, dropout)


def _again(
    part: nn.Module,
    forward: Callable[..., Any],
    dropout: StreamDropout | None,
    *args: Any,
    **kwargs: Any,
) -> Any:  # whatever the module takes and gives
    if not part.training or not torch.is_grad_enabled():
        return forward(*args, **kwargs)

    def contexts() -> Contexts:
        second = contextlib.nullcontext() if dropout is None else dropout.again()
        return contextlib.nullcontext(), second

    return checkpoint(
        forward, *args, use_reentrant=False, preserve_rng_state=False, context_fn=contexts, **kwargs
    )
