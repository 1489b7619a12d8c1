"""A data set of made-up sentences, and a small model that reads them."""

import itertools

import pyarrow as pa
import torch
from torch import nn

from harness.api.data import InputSpec, OodOutline, Outline, Split, Splits, Task
from harness.api.hooks import hookimpl
from harness.api.networks import Network
from harness.api.offers import Dataset, Model
from harness.api.texts import Texts, Tokens

WORDS = ["[pad]", "[cls]", "good", "bad", "very", "not", "a", "film", "plot", "and"]
PAD, CLS = 0, 1
SIZES = {"train": 120, "test": 50, "far": 40}
FIELDS = ("first", "second")


def sentences(seed: int, count: int, longest: int) -> list[str]:
    """Sentences of 1 to `longest` words."""
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (count,), generator=draw).tolist()
    return [
        " ".join(WORDS[i] for i in torch.randint(2, 10, (n,), generator=draw).tolist())
        for n in lengths
    ]


def texts(split: str) -> Texts:
    """The split's pairs; those out of distribution are longer."""
    seed, longest = list(SIZES).index(split), 20 if split == "far" else 9
    columns = {
        field: pa.chunked_array([sentences(10 * seed + place, SIZES[split], longest)])
        for place, field in enumerate(FIELDS)
    }
    return Texts(columns)


def split_of(name: str) -> Split:
    found = texts(name)
    first = found.columns["first"].to_pylist()
    labels = [text.split().count("good") > text.split().count("bad") for text in first]
    return Split({"text": found}, torch.tensor(labels).long())


class Words:
    """One token per word, the two fields one behind the other."""

    fingerprint = "words-1"

    def __init__(self):
        self.read_so_far = 0

    def read(self, texts):
        self.read_so_far += len(texts)
        rows, kinds = [], []
        for parts in zip(*(c.to_pylist() for c in texts.columns.values()), strict=True):
            rows.append([CLS, *(WORDS.index(w) for part in parts for w in part.split())])
            kinds.append([0] * (1 + len(parts[0].split())) + [1] * len(parts[1].split()))
        flat = torch.tensor([*itertools.chain(*rows)], dtype=torch.int32)
        offsets = torch.tensor([0, *itertools.accumulate(map(len, rows))])
        kind = torch.tensor([*itertools.chain(*kinds)], dtype=torch.int32)
        return Tokens({"input_ids": flat, "token_type_ids": kind}, offsets, {"input_ids": PAD})


class Small(nn.Module):
    """One attention block with dropout in it, a mean over tokens, a head."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.words = nn.Embedding(len(WORDS), width)
        self.kinds = nn.Embedding(2, width)
        self.maps = nn.Linear(width, 3 * width)
        self.up = nn.Linear(width, width)
        self.head = nn.Linear(width, 2)

    def forward(self, input_ids, attention_mask, token_type_ids):
        x = self.words(input_ids) + self.kinds(token_type_ids)
        x = nn.functional.dropout(x, 0.1, self.training)
        q, k, v = (part.unsqueeze(-3) for part in self.maps(x).chunk(3, -1))
        mask = attention_mask.bool()[..., None, None, :]
        drop = 0.2 if self.training else 0.0
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, mask, drop).squeeze(-3)
        x = x + nn.functional.dropout(torch.tanh(self.up(mixed)), 0.2, self.training)
        weights = attention_mask.unsqueeze(-1).to(x.dtype)
        return self.head((x * weights).sum(-2) / weights.sum(-2))


@hookimpl
def harness_datasets():
    outline = Outline(
        task=Task("classification", ("bad", "good")),
        inputs={"text": InputSpec((), "text", fields=FIELDS)},
        train=SIZES["train"],
        id={"test": SIZES["test"]},
        ood={"far": OodOutline("length", "test", SIZES["far"])},
    )
    loaded = {name: split_of(name) for name in SIZES}
    return [
        Dataset(
            name="toy-sentences",
            about="made-up pairs of sentences",
            outline=lambda settings: outline,
            fingerprint=lambda settings: "sentences-1",
            load=lambda settings, room: Splits(
                loaded["train"], {"test": loaded["test"]}, {"far": loaded["far"]}
            ),
        )
    ]


@hookimpl
def harness_models():
    return [
        Model(
            name="toy-reader",
            about="reads words",
            build=lambda settings, room: Network(Small(), head=("head.",)),
            reader=lambda settings, room: Words(),
        )
    ]
