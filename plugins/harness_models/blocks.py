"""What can be looked into in a transformer: its blocks, attention, and orders that are free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.api.attention import Attention
from harness.api.encoders import BERT_NAMES, encoder_symmetries
from harness.api.symmetries import Symmetry

if TYPE_CHECKING:
    from torch import nn

_LIKE_BERT = {"bert", "camembert", "data2vec-text", "electra", "ernie", "roberta", "xlm-roberta"}
"""Architectures (`model_type`) whose blocks are called as BERT's are."""


@dataclass(frozen=True)
class Block:
    """A block and its name in the network."""

    name: str
    module: nn.Module


def blocks_of(net: Any, prefix: str) -> list[Block]:
    """The blocks of a model of transformers, in order; none where they cannot be told."""
    from torch import nn

    count = getattr(net.config, "num_hidden_layers", None)
    for name, part in net.named_modules():
        if isinstance(part, nn.ModuleList) and len(part) == count:
            return [Block(f"{prefix}{name}.{place}", block) for place, block in enumerate(part)]
    return []


def attention_of(net: Any, blocks: list[Block]) -> tuple[Attention, ...]:
    """Where queries and keys come from, for encoders that are built as BERT is."""
    if net.config.model_type not in _LIKE_BERT:
        return ()
    return tuple(
        Attention(
            name=block.name,
            query=f"{block.name}.attention.self.query",
            key=f"{block.name}.attention.self.key",
            heads=net.config.num_attention_heads,
        )
        for block in blocks
    )


def symmetries_of(net: Any, module: nn.Module) -> tuple[Symmetry, ...]:
    """Heads and hidden units of encoders that are built as BERT is; none for others."""
    if net.config.model_type not in _LIKE_BERT:
        return ()
    heads = net.config.num_attention_heads
    return encoder_symmetries(module.state_dict(), BERT_NAMES, heads=heads, stream=_stream(net))


def _stream(net: Any) -> tuple[tuple[str, int], ...]:
    """Where the residual stream lies outside the blocks; () where not all of it is known."""
    base = f"net.{net.base_model_prefix}"
    ends = {"bert": f"{base}.pooler.dense.weight", "roberta": "net.classifier.dense.weight"}
    end = ends.get(net.config.model_type)
    if end is None:
        return ()
    embeddings = f"{base}.embeddings"
    tables = ("word_embeddings", "position_embeddings", "token_type_embeddings")
    return (
        *((f"{embeddings}.{table}.weight", 1) for table in tables),
        (f"{embeddings}.LayerNorm.weight", 0),
        (f"{embeddings}.LayerNorm.bias", 0),
        (end, 1),
    )
