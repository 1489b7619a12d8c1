"""Embeddings with a padding row, made right under `vmap`."""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


def _look_up(table: nn.Embedding, row: int, input: Tensor) -> Tensor:
    found = F.embedding(input, table.weight)
    padding = input.eq(row).unsqueeze(-1)
    return torch.where(padding, found.detach(), found)
