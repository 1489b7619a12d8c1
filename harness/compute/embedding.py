"""Embeddings: their padding row made right under `vmap`, their gradients written in place."""

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LARGE = 1 << 20
"""Numbers in a table from which on its gradient is worth keeping."""


def block_padding_gradients(module: nn.Module) -> None:
    """Let padding rows get no gradient in any member of a stack; changes the module's embeddings.

    torch's batching rule for embeddings lays the members' tables end to end but leaves
    `padding_idx` as it is, so that it is the first member's row alone that gets no gradient
    (seen in torch 2.13; Hugging Face encoders have such a row). What is looked up there is
    detached instead, which is the same for a run alone and leaves a tied output layer its gradient.
    """
    for part in module.modules():
        if not isinstance(part, nn.Embedding) or part.padding_idx is None:
            continue
        if type(part).forward is nn.Embedding.forward:
            part.forward = functools.partial(_look_up, part, part.padding_idx)  # type: ignore[method-assign]


def gather_gradients(module: nn.Module, least: int = LARGE) -> list[Tensor]:
    """Let embeddings add the gradients of rows to one that stays; gives the tables.

    torch makes a gradient of the whole table at every step, all zeros but for the few rows that
    were looked up. On a CPU the pages of so much memory are mapped anew each time, which takes a
    twentieth of a training step of a small encoder. Whoever calls this clears the gradients of the
    tables by `zero_()` instead of dropping them. Tables of fewer than `least` numbers stay as they
    are.
    """
    tables = []
    for part in module.modules():
        if not isinstance(part, nn.Embedding) or type(part).forward is not nn.Embedding.forward:
            continue
        plain = part.max_norm is None and not part.scale_grad_by_freq and not part.sparse
        if plain and part.weight.numel() >= least and part.weight.requires_grad:
            part.forward = functools.partial(_gathered, part)  # type: ignore[method-assign]
            tables.append(part.weight)
    return tables


def _gathered(table: nn.Embedding, input: Tensor) -> Tensor:
    weight = table.weight
    if not (torch.is_grad_enabled() and weight.requires_grad):
        return F.embedding(input, weight)
    found: Tensor = _Gathered.apply(weight, input, table.padding_idx)  # type: ignore[no-untyped-call]
    return found


class _Gathered(torch.autograd.Function):
    """Rows of a table; their gradients go into the table's own, and nowhere else."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, places: Tensor, padding: int | None) -> Tensor:
        ctx.weight, ctx.places, ctx.padding = weight, places, padding
        return F.embedding(places, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, None]:
        (gradient,) = gradients
        weight, places = ctx.weight, ctx.places.reshape(-1)
        rows = gradient.reshape(len(places), -1)
        if ctx.padding is not None:
            rows = rows.masked_fill(places.eq(ctx.padding).unsqueeze(-1), 0.0)
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
        weight.grad.index_add_(0, places, rows)
        return None, None, None


def _look_up(table: nn.Embedding, row: int, input: Tensor) -> Tensor:
    found = F.embedding(input, table.weight)
    padding = input.eq(row).unsqueeze(-1)
    return torch.where(padding, found.detach(), found)
