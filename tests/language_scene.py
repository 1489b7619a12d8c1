"""Text without labels, and small models that are pretrained on it and then classify."""

from typing import Literal

import text_scene
import torch
from text_scene import FIELDS, WORDS, Small
from torch import nn

from harness.api.data import InputSpec, Outline, Split, Splits, Task
from harness.api.hooks import hookimpl
from harness.api.networks import Language, Network
from harness.api.offers import Dataset, Model
from harness.api.settings import Settings, setting

MASK_WORD = WORDS.index("and")


class Writer(Small):
    """`Small` with a logit for every word at every place; looking back only, if causal."""

    def __init__(self, *, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.head = nn.Sequential(nn.Linear(16, 16), nn.Linear(16, len(WORDS)))

    def forward(self, input_ids, attention_mask, token_type_ids, places=None):
        x = self.words(input_ids) + self.kinds(token_type_ids)
        x = nn.functional.dropout(x, 0.1, self.training)
        q, k, v = (part.unsqueeze(-3) for part in self.maps(x).chunk(3, -1))
        mask = attention_mask.bool()[..., None, None, :]
        if self.causal:
            length = mask.shape[-1]
            mask = mask & torch.ones(length, length, dtype=torch.bool).tril()
        drop = 0.2 if self.training else 0.0
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, mask, drop).squeeze(-3)
        x = x + torch.tanh(self.up(mixed))
        if places is not None:
            x = torch.take_along_dim(x, places.unsqueeze(-1), -2)
        return self.head(x)


class WriterSettings(Settings):
    objective: Literal["next-token", "masked-language"] = setting("masked-language", "what is read")
    at_places: bool = setting(False, "whether only what is asked for is predicted")


def build(settings, room):
    causal = settings.objective == "next-token"
    language = Language(
        settings.objective,
        len(WORDS),
        MASK_WORD,
        special=(text_scene.CLS,),
        at_places=settings.at_places,
    )
    module = Writer(causal=causal) if room.task.kind == "language" else Small()
    return Network(module, head=("head.",), language=language)


class Encoder(nn.Module):
    """A Hugging Face encoder, its positions and mask spelled out as vmap wants them."""

    def __init__(self, attention):
        super().__init__()
        from transformers import BertConfig, BertForSequenceClassification

        config = BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
            attn_implementation=attention,
        )
        self.bert = BertForSequenceClassification(config)

    def forward(self, input_ids, attention_mask, token_type_ids):
        length = input_ids.shape[-1]
        return self.bert(
            input_ids=input_ids,
            token_type_ids=token_type_ids,
            position_ids=torch.arange(length).expand(input_ids.shape),
            attention_mask=attention_mask.bool()[:, None, None, :],
        ).logits


class EncoderSettings(Settings):
    attention: Literal["sdpa", "eager"] = setting("sdpa", "how it is computed")


def unlabelled(name):
    split = text_scene.split_of(name)
    return Split(split.inputs, torch.zeros_like(split.targets))


@hookimpl
def harness_datasets():
    outline = Outline(
        task=Task("language", ()),
        inputs={"text": InputSpec((), "text", fields=FIELDS)},
        train=text_scene.SIZES["train"],
        id={},
    )
    return [
        *text_scene.harness_datasets(),
        Dataset(
            name="toy-prose",
            about="made-up sentences without labels",
            outline=lambda settings: outline,
            fingerprint=lambda settings: "prose-1",
            load=lambda settings, room: Splits(unlabelled("train"), {}),
        ),
    ]


@hookimpl
def harness_models():
    return [
        *text_scene.harness_models(),
        Model(
            name="toy-encoder",
            about="a Hugging Face encoder",
            settings=EncoderSettings,
            build=lambda settings, room: Network(
                Encoder(settings.attention), head=("bert.classifier.",)
            ),
            reader=lambda settings, room: text_scene.Words(),
        ),
        Model(
            name="toy-writer",
            about="reads and writes words",
            settings=WriterSettings,
            build=build,
            reader=lambda settings, room: text_scene.Words(),
        ),
    ]
