"""Ways to fine-tune one encoder on one set of sentences, step by step, for so long as is asked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from turns import Turns

if TYPE_CHECKING:
    from harness.api.cells import Cell

BATCH = 32
LR = 2e-5
DECAY = 0.01
POOL = 50
"""Batches out of which sentences of like length are put together."""


def sentences_of(path: str) -> tuple[list[str], list[int]]:
    """CoLA's training sentences and labels."""
    lines = Path(path, "in_domain_train.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return [row[3] for row in rows], [int(row[1]) for row in rows]


def ours(turns: Turns, path: str) -> None:
    """A fine-tuning cell, as a worker trains it."""
    from text_scene import training_cell

    _cell_in_turns(turns, training_cell(path, steps=10**6, batch=BATCH, lr=LR))


def ours_masked(turns: Turns, path: str) -> None:
    """A pretraining cell: `tiny-bert` learns hidden tokens of the same sentences."""
    from text_scene import pretraining_cell

    _cell_in_turns(turns, pretraining_cell(path, steps=10**6, batch=BATCH, lr=LR))


def _cell_in_turns(turns: Turns, cell: Cell) -> None:
    from text_scene import bench_at

    from harness.train import pack
    from harness.train.alone import Alone
    from harness.train.batches import Batch

    class InTurns(Alone):
        """The same, telling of each step."""

        def step(self, batch: Batch, step: int, rate: float) -> Tensor:
            loss = super().step(batch, step, rate)
            turns.step(len(batch.targets))
            return loss

    pack.Alone = InTurns
    with tempfile.TemporaryDirectory() as folder:
        pack.train_pack([cell], bench_at(folder), lambda line: None)


def by_hand(turns: Turns, path: str, *, fused: bool | None = None) -> None:
    """What a careful user would write: read once, batches of like length, torch's defaults."""
    network, tokenizer = _encoder()
    texts, labels = sentences_of(path)
    tokens = [torch.tensor(row) for row in tokenizer(texts)["input_ids"]]
    targets = torch.tensor(labels)
    optimizer = torch.optim.AdamW(_groups(network), lr=LR, fused=fused)
    network.train()
    for places in _batches([len(row) for row in tokens]):
        rows = [tokens[place] for place in places]
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        logits = network(input_ids=ids, attention_mask=(ids != 0).long()).logits
        loss = nn.functional.cross_entropy(logits, targets[places])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        turns.step(len(places))


def by_hand_fused(turns: Turns, path: str) -> None:
    """The same with the optimizer's kernel that torch does not choose by itself on a CPU."""
    by_hand(turns, path, fused=True)


def by_hand_masked(turns: Turns, path: str) -> None:
    """Masked language modelling with transformers' own model and collator; the optimizer fused."""
    from text_scene import TINY
    from transformers import (
        AutoTokenizer,
        BertConfig,
        BertForMaskedLM,
        DataCollatorForLanguageModeling,
    )

    from harness_models.minilm import folder as minilm_folder

    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    texts, _ = sentences_of(path)
    tokens = tokenizer(texts)["input_ids"]
    network = BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), **TINY))
    optimizer = torch.optim.AdamW(_groups(network), lr=LR, fused=True)
    collator = DataCollatorForLanguageModeling(tokenizer)
    network.train()
    for places in _batches([len(row) for row in tokens]):
        network(**collator([{"input_ids": tokens[place]} for place in places])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        turns.step(len(places))


def by_trainer(turns: Turns, path: str) -> None:
    """The `Trainer` of transformers, padding each batch of shuffled sentences to its longest."""
    from datasets import Dataset
    from transformers import (
        DataCollatorWithPadding,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    class InTurns(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: object, **__: object) -> None:
            turns.step(BATCH)

    network, tokenizer = _encoder()
    texts, labels = sentences_of(path)
    data = Dataset.from_dict({**tokenizer(texts), "labels": labels})
    with tempfile.TemporaryDirectory() as folder:
        told = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=BATCH,
            learning_rate=LR,
            weight_decay=DECAY,
            num_train_epochs=1000,
            max_grad_norm=0.0,  # as the others, which do not clip
            use_cpu=True,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        collator = DataCollatorWithPadding(tokenizer)
        Trainer(network, told, collator, train_dataset=data, callbacks=[InTurns()]).train()


def _encoder() -> tuple[nn.Module, object]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from harness_models.minilm import folder as minilm_folder

    folder = minilm_folder()
    network = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
    return network, AutoTokenizer.from_pretrained(folder)


def _groups(network: nn.Module) -> list[dict[str, object]]:
    decayed = [p for p in network.parameters() if p.ndim >= 2]
    spared = [p for p in network.parameters() if p.ndim < 2]
    return [{"params": decayed, "weight_decay": DECAY}, {"params": spared, "weight_decay": 0.0}]


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    chance = torch.Generator().manual_seed(0)
    while True:
        order = torch.randperm(len(lengths), generator=chance).tolist()
        batches = []
        for start in range(0, len(order), POOL * BATCH):
            pool = sorted(order[start : start + POOL * BATCH], key=lambda place: -lengths[place])
            batches += [pool[at : at + BATCH] for at in range(0, len(pool), BATCH)]
        for place in torch.randperm(len(batches), generator=chance).tolist():
            yield batches[place]
