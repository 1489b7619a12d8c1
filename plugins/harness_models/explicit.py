"""Positions and masks spelled out, so that a transformer branches on no data and runs under vmap.

What is given explicitly is what transformers would make of the padding itself; the one difference
is that a decoder, of whatever architecture, is read off at the last token by its mask, not by the
token that pads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from harness.api.errors import HarnessError
from harness_models.tails import tail_of


@dataclass(frozen=True)
class Family:
    """How the models of one architecture count positions, and where they look.

    Positions are 0, 1, ... or, "after-padding", those of real tokens alone, counted from the one
    behind the padding token's number (RoBERTa). `known` says that a mask [batch, 1, queries, keys]
    may be handed over; others are given the padding alone and left to transformers.
    """

    positions: Literal["plain", "after-padding"] = "plain"
    causal: bool = False
    known: bool = True


_ENCODERS = ("albert", "bert", "distilbert", "electra", "ernie")
_ROBERTAS = ("camembert", "data2vec-text", "roberta", "xlm-roberta")
_DECODERS = ("gpt2", "gpt_neox", "llama", "olmo", "opt", "phi", "qwen2", "qwen3")
_FAMILIES = {
    **dict.fromkeys(_ENCODERS, Family()),
    **dict.fromkeys(_ROBERTAS, Family("after-padding")),
    **dict.fromkeys(_DECODERS, Family(causal=True)),
}
"""By transformers' `model_type`; each was compared with transformers' own masks."""


def family_of(config: Any) -> Family:
    """The family of a configuration (`Any`: every architecture has a class of its own)."""
    if getattr(config, "layer_types", None) and set(config.layer_types) != {"full_attention"}:
        return Family(known=False)  # layers that look at a window take masks of their own
    return _FAMILIES.get(config.model_type, Family(known=False))


def longest_of(config: Any) -> int | None:
    """The most tokens that a model has positions for, None where it does not say.

    Raises:
        HarnessError: its positions follow on a padding token that it does not name.
    """
    most: int | None = getattr(config, "max_position_embeddings", None)
    if most is None or most < 1:  # XLNet says -1
        return None
    if family_of(config).positions == "after-padding":
        if config.pad_token_id is None:
            raise HarnessError(
                f"the configuration of this {config.model_type!r} names no padding token, after "
                "which its positions are counted",
                fix="set `pad_token_id` in its config.json",
            )
        return most - int(config.pad_token_id) - 1
    return most


def seen(mask: Tensor, *, causal: bool, additive: bool) -> Tensor:
    """Who may look at whom: [batch, 1, 1 or queries, keys], of a mask [batch, length].

    True or False, or what is added to the attention logits (`additive`).
    """
    allowed = mask[:, None, None, :] != 0
    if causal:
        length = mask.shape[-1]
        square = torch.ones(length, length, dtype=torch.bool, device=mask.device)
        allowed = allowed & square.tril()
    if not additive:
        return allowed
    least = torch.finfo(torch.float32).min
    return torch.zeros_like(allowed, dtype=torch.float32).masked_fill(~allowed, least)


def positions(mask: Tensor, family: Family, padding: int) -> Tensor:
    """Positions [batch, length] of tokens."""
    if family.positions == "after-padding":
        return mask.cumsum(-1) * mask + padding
    return torch.arange(mask.shape[-1], device=mask.device).expand(mask.shape)


def at_last(hidden: Tensor, mask: Tensor) -> Tensor:
    """What stands at the last real token: [batch, d] of [batch, length, d]."""
    places = torch.arange(mask.shape[-1], device=mask.device)
    last = (places * mask).amax(-1)
    chosen = last[:, None, None].expand(-1, 1, hidden.shape[-1])
    return hidden.gather(1, chosen).squeeze(1)


class Features(nn.Module):
    """What a block holds of an example: its first token, or its `last` where that is read off.

    It has no weights and changes nothing: it is here to be looked at.
    """

    def __init__(self, *, last: bool) -> None:
        super().__init__()
        self.last = last

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Features [batch, d] of a block's output [batch, length, d]."""
        return at_last(hidden, mask) if self.last else hidden[:, 0]


class Looking(nn.Module):
    """A module whose blocks are shown, one by one, to the modules in `blocks`."""

    def __init__(self, shown: list[nn.Module], *, last: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Features(last=last) for _ in shown)
        self.mask: Tensor | None = None
        for block, features in zip(shown, self.blocks, strict=True):
            block.register_forward_hook(_Shown(self, features))


class _Shown:
    """Shows what a block gives; an object, so that a copy of the whole shows its own blocks."""

    def __init__(self, whole: Looking, features: nn.Module) -> None:
        self.whole = [whole]
        self.features = [features]

    def __call__(self, block: nn.Module, inputs: object, output: Any) -> None:
        (whole,), (features,) = self.whole, self.features
        if whole.mask is not None:
            features(output[0] if isinstance(output, tuple | list) else output, whole.mask)


class TextClassifier(Looking):
    """Logits [batch, classes] of transformers' classifier, whose own names stand behind "net."."""

    def __init__(self, net: Any, shown: list[nn.Module]) -> None:
        family = family_of(net.config)
        tail = tail_of(net)
        super().__init__(shown, last=bool(tail))
        self.net = net
        self.family = family
        self.tail = tail
        self.padding = net.config.pad_token_id or 0
        self.typed = getattr(net.config, "type_vocab_size", 0) > 0 and not family.causal
        self.additive = net.config._attn_implementation == "eager"

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Logits of tokens [batch, length]; the mask is 1 for tokens and 0 for padding."""
        self.mask = attention_mask
        try:
            return self._logits(input_ids, attention_mask, token_type_ids)
        finally:
            self.mask = None

    def _logits(self, tokens: Tensor, mask: Tensor, types: Tensor | None) -> Tensor:
        given: dict[str, Tensor] = {"input_ids": tokens, "attention_mask": mask}
        if self.family.known:
            looks = seen(mask, causal=self.family.causal, additive=self.additive)
            places = positions(mask, self.family, self.padding)
            given |= {"attention_mask": looks, "position_ids": places}
        if self.typed:
            given["token_type_ids"] = torch.zeros_like(tokens) if types is None else types
        net: Any = self.net  # transformers' own classes share no type for this
        if not self.tail:
            logits: Tensor = net(**given).logits
            return logits
        base = getattr(net, net.base_model_prefix)
        caching = {"use_cache": False} if hasattr(net.config, "use_cache") else {}
        read = at_last(base(**given, **caching).last_hidden_state, mask)[:, None]
        for part in self.tail:
            read = getattr(net, part)(read)
        return read.flatten(1)
