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


_SIDEWAYS = {"xlnet"}
"""Architectures whose blocks hold [length, batch, d], not [batch, length, d]."""

_AFTER = (
    "pooler", "norm", "ln_f", "final_layer_norm", "final_layernorm", "layernorm", "project_out",
)  # fmt: skip
"""What bodies call parts that come after the blocks, wherever they are declared."""


@dataclass(frozen=True)
class Block:
    """A block and its name in the network."""

    name: str
    module: nn.Module


def blocks_of(body: Any, prefix: str) -> list[Block]:
    """The blocks of a body of transformers, in order; none where they cannot be told.

    `prefix` is what stands before the body's own names, dot included.
    """
    from torch import nn

    count = getattr(body.config, "num_hidden_layers", None)
    if body.config.model_type in _SIDEWAYS:
        return []
    lists = [
        (name, part)
        for name, part in body.named_modules()
        if isinstance(part, nn.ModuleList) and len(part) == count
    ]
    if not lists or sum(_above(name) == _above(lists[0][0]) for name, _ in lists) > 1:
        return []  # XLM has one list of attentions, one of norms, one of feed-forward layers
    name, blocks = lists[0]
    return [Block(f"{prefix}{name}.{place}", block) for place, block in enumerate(blocks)]


def layers_of(body: Any, prefix: str, blocks: list[Block]) -> tuple[tuple[str, ...], ...]:
    """Prefixes of parameter names from the bottom up: what stands before the blocks, then each.

    None where they cannot be told, as where a decoder follows on an encoder.
    """
    if not blocks or getattr(body.config, "is_encoder_decoder", False):
        return ()
    whole, early = body, []
    at = prefix
    for step in _above(blocks[0].name.removeprefix(prefix)).split("."):
        early += [f"{at}{name}." for name in _early(whole, step)]
        whole, at = getattr(whole, step), f"{at}{step}."
    return (tuple(early), *((f"{block.name}.",) for block in blocks)) if early else ()


def _early(whole: nn.Module, step: str) -> list[str]:
    """Children that come before the one that holds the blocks.

    They are declared before it, but for tables of relative positions (MPNet, DeBERTa, whose norm
    of the table follows).
    """
    from torch import nn

    parts = {
        name: part
        for name, part in whole.named_children()
        if name == step or (name not in _AFTER and any(True for _ in part.parameters()))
    }
    names = list(parts)
    here = names.index(step)
    late = names[here + 1 :]
    tables = any(
        isinstance(inner, nn.Embedding) for name in late for inner in parts[name].modules()
    )
    return names[:here] + (late if tables else [])


def _above(name: str) -> str:
    return name.rpartition(".")[0]


def attention_of(body: Any, blocks: list[Block]) -> tuple[Attention, ...]:
    """Where queries and keys come from, for encoders that are built as BERT is."""
    if body.config.model_type not in _LIKE_BERT:
        return ()
    return tuple(
        Attention(
            name=block.name,
            query=f"{block.name}.attention.self.query",
            key=f"{block.name}.attention.self.key",
            heads=body.config.num_attention_heads,
        )
        for block in blocks
    )


def symmetries_of(body: Any, prefix: str, module: nn.Module, end: str) -> tuple[Symmetry, ...]:
    """Heads and hidden units of encoders that are built as BERT is; none for others.

    `end` names the only weight after the blocks that reads the residual stream; without one the
    order of the stream is left alone.
    """
    if body.config.model_type not in _LIKE_BERT:
        return ()
    weights = module.state_dict()
    embeddings = f"{prefix}embeddings"
    tables = ("word_embeddings", "position_embeddings", "token_type_embeddings")
    stream = (
        *((f"{embeddings}.{table}.weight", 1) for table in tables),
        (f"{embeddings}.LayerNorm.weight", 0),
        (f"{embeddings}.LayerNorm.bias", 0),
        (end, 1),
    )
    heads = body.config.num_attention_heads
    known = end and all(name in weights for name, _ in stream)
    return encoder_symmetries(weights, BERT_NAMES, heads=heads, stream=stream if known else ())


def stream_end(net: Any, prefix: str) -> str:
    """The weight after the blocks of a classifier that reads the residual stream, if it is one."""
    ends = {"bert": f"{prefix}pooler.dense.weight", "roberta": "net.classifier.dense.weight"}
    return ends.get(net.config.model_type, "")
