"""A workbench and training cells to try the engine on: real digits, small models."""

from pathlib import Path

import torch
from torch import nn

from harness.api.cells import Cell, Limit, Seeds, SplitUse, Stage, TrainWork, Use
from harness.api.hooks import hookimpl
from harness.api.networks import Network
from harness.api.offers import Model
from harness.compute.weights import save_weights
from harness.compute.workbench import Workbench
from harness.plug.discovery import discover


class Transformer(nn.Module):
    """Rows as tokens; dropout in attention, after it and in the feed-forward part."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 16)
        self.block = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.2, batch_first=True)
        self.head = nn.Linear(16, 10)

    def forward(self, image):
        return self.head(self.block(self.embed(image.squeeze(1))).mean(1))


class Tokens(nn.Module):
    """Grey values as tokens; the darkest is padding, and the table is tied to the output."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(10, 8, padding_idx=0)
        self.head = nn.Linear(8, 10)
        self.head.weight = self.table.weight

    def forward(self, image):
        tokens = ((image.flatten(1) + 0.82) * 2.5).long().clamp(0, 9)
        return self.head(torch.tanh(self.table(tokens).sum(1)))


def build_bert(settings, room):
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=10,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=10,
        max_position_embeddings=64,
    )
    return Network(Bert(BertForSequenceClassification(config)), head=("bert.classifier.",))


class Bert(nn.Module):
    """A Hugging Face encoder; under vmap it wants its positions and its mask spelled out."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, image):
        tokens = ((image.flatten(1) + 0.82) * 2.5).long().clamp(0, 9)
        return self.bert(
            input_ids=tokens,
            position_ids=torch.arange(64).expand(tokens.shape),
            token_type_ids=torch.zeros_like(tokens),
            attention_mask=torch.ones(tokens.shape, dtype=torch.bool)[:, None, None, :],
        ).logits


class Lonely(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, image):
        if float(image.sum()) < -1e9:  # a branch on data, which vmap refuses
            return self.head(image.flatten(1)) * 2
        return self.head(image.flatten(1))


@hookimpl
def harness_models():
    return [
        Model(
            name="toy-transformer",
            about="one block",
            build=lambda settings, room: Network(Transformer(), head=("head.",)),
        ),
        Model(
            name="toy-tokens",
            about="an embedding with a padding row",
            build=lambda settings, room: Network(Tokens(), head=()),
        ),
        Model(name="toy-bert", about="a Hugging Face encoder", build=build_bert),
        Model(
            name="toy-lonely",
            about="cannot be stacked",
            build=lambda settings, room: Network(
                Lonely(), head=("head.",), stackable=False, why_not_stackable="branches on data"
            ),
        ),
    ]


class Shelf:
    """A store that holds weight files and nothing else."""

    def __init__(self, root: Path):
        self.root = root

    def put(self, key, weights):
        (self.root / key).mkdir(parents=True)
        save_weights(self.root / key / "weights.safetensors", weights)

    def path(self, key, name):
        return self.root / key / name


def open_bench(folder: Path, device: str = "cpu") -> Workbench:
    catalogue = discover(extra=["training_scene"])
    return Workbench(catalogue, Shelf(folder), torch.device(device), folder / "cache", True)


def use(noun, name, **settings):
    return Use(noun, name, name, settings, "0")


def split_use(**settings):
    return SplitUse("train", use("dataset", "digits", **settings), "", "train")


def a_cell(seed=0, *, model=None, method=None, **other):
    """A finetune cell from random weights; `other` replaces fields of the work and the cell."""
    work = TrainWork(
        model=model or use("model", "mlp", hidden=[16]),
        method=method or use("method", "full", steps=12, lr=0.01),
        train=other.pop("train", split_use()),
        augment=other.pop("augment", ()),
        batch=other.pop("batch", 32),
        init=other.pop("init", "random"),
        branch=other.pop("branch", None),
    )
    seeds = other.pop("seeds", Seeds(0, seed))
    defaults = {"parents": (), "procedure": "random", "stage": Stage.FINETUNE}
    return Cell(key=f"finetune-{seed}", seeds=(seeds,), work=work, **{**defaults, **other})


def limit(**fields):
    return Limit(**fields)


def same(a, b):
    """Bit-equal state dicts."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def distance(a, b):
    """The largest difference between two state dicts."""
    return max(float((a[name].double() - b[name].double()).abs().max()) for name in a)
