"""Norms of the gradients of single examples, layer by layer, from one pass over all of them.

The gradient of a linear layer's weight for one example is sum_t delta_t a_t', with a_t what went
into the layer at place t and delta_t the derivative by what came out. Its squared norm is
sum_ts (delta_t . delta_s)(a_t . a_s) (Goodfellow 2015, arXiv 1510.01799, for one place). An
embedding is a linear layer of one-hot inputs, a convolution one of the patches of its input.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Passage:
    """What went through a layer: its input [b, ...] and its output [b, ...]."""

    part: nn.Module
    taken: Tensor
    given: Tensor


def owns(part: nn.Module) -> bool:
    """Whether a module holds parameters of its own."""
    return any(True for _ in part.parameters(recurse=False))


def known(part: nn.Module) -> bool:
    """Whether `squares` knows this kind of layer."""
    match part:
        case nn.Conv2d():
            plain = part.groups == 1 and part.padding_mode == "zeros"
            plain = plain and not isinstance(part.padding, str)
        case nn.Embedding():
            plain = part.max_norm is None and not part.scale_grad_by_freq and not part.sparse
        case _:
            plain = True
    return plain and type(part) in _KINDS


def squares(passage: Passage, delta: Tensor) -> Tensor:
    """Squared norms [b] of the gradients by the layer's parameters, delta those by its output."""
    kind = _KINDS[type(passage.part)]
    with torch.no_grad():
        return kind(passage.part, passage.taken, delta)


@contextmanager
def watched(module: nn.Module, size: int) -> Iterator[list[Passage]]:
    """What passes through the layers that hold parameters, in the order of their calls.

    What a layer gives to all of the `size` examples alike (positions) is given to each.
    """
    passages: list[Passage] = []

    def hook(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        taken = inputs[0].detach().clone()
        if len(output) == 1 == len(taken):
            output = output.expand(size, *output.shape[1:])
            taken = taken.expand(size, *taken.shape[1:])
        passages.append(Passage(part, taken, output))
        return output.clone()  # what follows may work in place

    hooks = [part.register_forward_hook(hook) for part in module.modules() if owns(part)]
    try:
        yield passages
    finally:
        for each in hooks:
            each.remove()


# The first argument is the layer: of the class that it stands under in the table below.


def _linear(part: Any, taken: Tensor, delta: Tensor) -> Tensor:
    size = len(taken), -1
    rows = taken.reshape(*size, part.in_features), delta.reshape(*size, part.out_features)
    return _products(*rows) + _bias(part, rows[1])


def _convolution(part: Any, taken: Tensor, delta: Tensor) -> Tensor:
    patches = F.unfold(taken, part.kernel_size, part.dilation, part.padding, part.stride)
    rows = patches.mT, delta.flatten(2).mT
    return _products(*rows) + _bias(part, rows[1])


def _embedding(part: Any, taken: Tensor, delta: Tensor) -> Tensor:
    names = taken.flatten(1)
    rows = delta.reshape(*names.shape, -1)
    if part.padding_idx is not None:
        rows = rows * (names != part.padding_idx)[..., None]
    same = names[:, :, None] == names[:, None, :]
    return ((rows @ rows.mT) * same).sum((1, 2))


def _layer_norm(part: Any, taken: Tensor, delta: Tensor) -> Tensor:
    shape = len(taken), -1, *part.normalized_shape
    normal = F.layer_norm(taken, part.normalized_shape, eps=part.eps)
    scale = (normal * delta).reshape(shape).sum(1).flatten(1).square().sum(1)
    return scale + _bias(part, delta.reshape(shape).flatten(2))


def _products(taken: Tensor, delta: Tensor) -> Tensor:
    """||sum_t delta_t a_t'||^2 for a [b, t, i] and delta [b, t, o], the cheaper way."""
    places, size = taken.shape[1], taken.shape[2] * delta.shape[2]
    if places == 1:
        return taken.square().sum((1, 2)) * delta.square().sum((1, 2))
    if places**2 < size:
        return ((taken @ taken.mT) * (delta @ delta.mT)).sum((1, 2))
    return (delta.mT @ taken).square().sum((1, 2))


def _bias(part: Any, delta: Tensor) -> Tensor:
    if part.bias is None:
        return torch.zeros(len(delta), dtype=delta.dtype, device=delta.device)
    return delta.sum(1).square().sum(1)


_KINDS: MappingProxyType[type[nn.Module], Callable[[Any, Tensor, Tensor], Tensor]] = (
    MappingProxyType(
        {
            nn.Linear: _linear,
            nn.Conv2d: _convolution,
            nn.Embedding: _embedding,
            nn.LayerNorm: _layer_norm,
        }
    )
)
