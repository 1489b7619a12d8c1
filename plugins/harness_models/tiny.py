"""A body of transformers with heads of our own: a suite pretrains it on text, then fine-tunes it.

Both kinds of head lie under "head.", and the embedding that predicts tokens is the body's own.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness_models.explicit import Family, Looking, at_last, positions, seen


class Tiny(Looking):
    """`head(body(tokens))`: logits [batch, classes], or [batch, length, tokens] where it learns."""

    def __init__(self, body: Any, head: nn.Module, shown: list[nn.Module], family: Family) -> None:
        super().__init__(shown, last=family.causal)
        self.body = body
        self.head = head
        self.family = family
        self.typed = not family.causal
        self.additive = body.config._attn_implementation == "eager"

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        places: Tensor | None = None,
    ) -> Tensor:
        """Logits of tokens [batch, length]; the mask is 1 for tokens and 0 for padding.

        `places` [batch, k] are those of which a head of tokens is to give logits.
        """
        given = {
            "input_ids": input_ids,
            "attention_mask": seen(
                attention_mask, causal=self.family.causal, additive=self.additive
            ),
            "position_ids": positions(attention_mask, self.family, 0),
        }
        if self.typed:
            given["token_type_ids"] = (
                torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
            )
        self.mask = attention_mask
        try:
            hidden = self.body(**given, use_cache=False).last_hidden_state
        finally:
            self.mask = None
        if places is not None:
            wide = places.unsqueeze(-1).expand(*places.shape, hidden.shape[-1])
            hidden = hidden.gather(-2, wide)
        table = self.body.get_input_embeddings().weight
        logits: Tensor = self.head(hidden, attention_mask, table)
        return logits


class ClassHead(nn.Module):
    """Classes from the first token, through a layer with tanh; or from the last, without."""

    def __init__(self, width: int, classes: int, *, dropout: float, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.dense = None if causal else nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.classes = nn.Linear(width, classes)
        _as_bert(self)

    def forward(self, hidden: Tensor, mask: Tensor, table: Tensor) -> Tensor:
        """Logits [batch, classes] of [batch, length, width]."""
        read = at_last(hidden, mask) if self.causal else hidden[:, 0]
        if self.dense is not None:
            read = torch.tanh(self.dense(self.dropout(read)))
        logits: Tensor = self.classes(self.dropout(read))
        return logits


class TokenHead(nn.Module):
    """Tokens by the body's own embedding; after a layer and a norm where tokens are masked."""

    def __init__(self, width: int, tokens: int, *, causal: bool) -> None:
        super().__init__()
        self.dense = None if causal else nn.Linear(width, width)
        self.norm = None if causal else nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(tokens))
        _as_bert(self)

    def forward(self, hidden: Tensor, mask: Tensor, table: Tensor) -> Tensor:
        """Logits [batch, length, tokens] of [batch, length, width]."""
        if self.dense is not None and self.norm is not None:
            hidden = self.norm(F.gelu(self.dense(hidden)))
        return F.linear(hidden, table, self.bias)


def _as_bert(head: nn.Module) -> None:
    """Weights with a standard deviation of .02 (Devlin et al. 2019), biases of 0."""
    for part in head.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.02)
            nn.init.zeros_(part.bias)
