"""Small transformers of text that a suite pretrains itself: an encoder and a decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from harness.api.contexts import BuildRoom
from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness.api.networks import Language, Network
from harness.api.offers import Model
from harness.api.settings import setting
from harness.api.texts import Reader
from harness_models.vocabulary import (
    Vocabulary,
    VocabularySettings,
    fingerprint_of,
    reader_of,
    vocabulary_of,
)

if TYPE_CHECKING:
    from harness_models.explicit import Family

DEVLIN = "https://arxiv.org/abs/1810.04805"


class TinySettings(VocabularySettings):
    """Sizes: by default 3 million parameters beside the embeddings."""

    layers: int = setting(4, "blocks", ge=1)
    width: int = setting(256, "units of the residual stream", ge=4)
    heads: int = setting(4, "attention heads of a block", ge=1)
    hidden: int = setting(0, "units of the feed-forward layer; 4 times the width by default", ge=0)
    dropout: float = setting(0.1, "every dropout rate", ge=0.0, lt=1.0, source=DEVLIN)
    attention: Literal["sdpa", "eager"] = setting("sdpa", "how attention is computed")
    gradient_checkpointing: bool = setting(
        False, "compute blocks again in the backward pass, for less memory", identity=False
    )


class TinyBertSettings(TinySettings):
    """Sizes, and how much is masked."""

    masked: float = setting(0.15, "share of tokens to predict", gt=0.0, lt=1.0, source=DEVLIN)


def build_bert(settings: TinyBertSettings, room: BuildRoom) -> Network:
    """BERT's encoder without its pooler; learns language by predicting masked tokens."""
    from harness_models.explicit import Family

    known = vocabulary_of(settings)
    if room.task.kind == "language" and known.mask < 0:
        message = "its tokenizer has no mask token"
        raise HarnessError(message, where="model 'tiny-bert'", fix="choose another, or tiny-lm")
    learns = Language(
        "masked-language",
        known.tokens,
        known.mask,
        known.special,
        share=settings.masked,
        at_places=True,
    )
    config = {
        **_sizes(settings, known),
        "num_hidden_layers": settings.layers,
        "hidden_size": settings.width,
        "num_attention_heads": settings.heads,
        "intermediate_size": settings.hidden or 4 * settings.width,
        "max_position_embeddings": settings.longest,
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.dropout,
    }
    return _network("tiny-bert", "bert", config, settings, room, (learns, Family()))


def build_lm(settings: TinySettings, room: BuildRoom) -> Network:
    """GPT-2's decoder; learns language by predicting the next token."""
    from harness_models.explicit import Family

    known = vocabulary_of(settings)
    learns = Language("next-token", known.tokens, special=known.special)
    config = {
        **_sizes(settings, known),
        "n_layer": settings.layers,
        "n_embd": settings.width,
        "n_head": settings.heads,
        "n_inner": settings.hidden or None,
        "n_positions": settings.longest,
        "resid_pdrop": settings.dropout,
        "embd_pdrop": settings.dropout,
        "attn_pdrop": settings.dropout,
        "bos_token_id": known.padding,
        "eos_token_id": known.padding,
    }
    return _network("tiny-lm", "gpt2", config, settings, room, (learns, Family(causal=True)))


def _sizes(settings: TinySettings, known: Vocabulary) -> dict[str, Any]:
    if settings.width % settings.heads:
        raise HarnessError(
            f"a width of {settings.width} cannot be shared by {settings.heads} heads"
        )
    return {"vocab_size": known.tokens, "pad_token_id": known.padding}


def _network(
    name: str,
    kind: str,
    config: dict[str, Any],
    settings: TinySettings,
    room: BuildRoom,
    learns: tuple[Language, Family],
) -> Network:
    from harness_models.blocks import attention_of, blocks_of, layers_of, symmetries_of
    from harness_models.built import body_of
    from harness_models.tiny import ClassHead, Tiny, TokenHead
    from harness_models.tokenizing import text_of

    text_of(room.inputs, name)
    language, family = learns
    body = body_of(kind, config, settings.attention)
    width, causal = settings.width, family.causal
    learning = room.task.kind == "language"
    if learning:
        head: Any = TokenHead(width, language.tokens, causal=causal)
    else:
        classes = len(room.task.classes)
        head = ClassHead(width, classes, dropout=settings.dropout, causal=causal)
    blocks = blocks_of(body, "body.")
    module = Tiny(body, head, [block.module for block in blocks], family)
    return Network(
        module,
        head=("head.",),
        features=tuple(f"blocks.{place}" for place in range(len(blocks))),
        attention=attention_of(body, blocks),
        symmetries=symmetries_of(body, "body.", module, "" if learning else "head.dense.weight"),
        language=language,
        layers=layers_of(body, "body.", blocks),
        recomputed=tuple(b.name for b in blocks) if settings.gradient_checkpointing else (),
    )


def reader(settings: TinySettings, room: DataRoom) -> Reader:
    """Bytes, or the tokens of a tokenizer that is there."""
    return reader_of(settings)


TINY_BERT = Model(
    name="tiny-bert",
    about="a small encoder that a suite pretrains by masked language modelling",
    settings=TinyBertSettings,
    source=DEVLIN,
    build=build_bert,
    reader=reader,
    fingerprint=fingerprint_of,
)

TINY_LM = Model(
    name="tiny-lm",
    about="a small decoder that a suite pretrains on the next token",
    settings=TinySettings,
    source="https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
    build=build_lm,
    reader=reader,
    fingerprint=fingerprint_of,
    lacks=("attention", "symmetries"),
)
