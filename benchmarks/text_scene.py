"""CoLA and a real encoder, as cells and on a workbench."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from harness.api.cells import Cell, Seeds, SplitUse, Stage, TrainWork, Use
from harness.compute.workbench import Workbench
from harness.plug.discovery import discover
from harness.store.store import Store
from harness_models.minilm import MINILM

PLUGINS = ("harness_models", "harness_methods", "harness_datasets")


TINY = {
    "num_hidden_layers": 4,
    "hidden_size": 256,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
    "max_position_embeddings": 128,
}
"""The sizes of `tiny-bert`, as transformers calls them."""


def cola_folder() -> Path | None:
    """CoLA's files in the folder that SEEDSCAPE_DATA names, or None."""
    found = Path(os.environ.get("SEEDSCAPE_DATA", "")) / "cola"
    return found if (found / "in_domain_train.tsv").is_file() else None


def bench_at(folder: str, device: str = "cpu") -> Workbench:
    """A workbench with a store of its own."""
    store = Store(Path(folder))
    return Workbench(
        discover(extra=PLUGINS), store, torch.device(device), Path(folder), offline=True
    )


def cola(path: str, source: str = "train") -> SplitUse:
    """One of CoLA's splits."""
    use = Use("dataset", "cola", "cola", {"path": path}, "0", ("path",))
    return SplitUse(source, use, "", source)


def minilm() -> Use:
    """The encoder, with its defaults."""
    return Use("model", "minilm", "minilm", {}, "0")


def training_cell(path: str, *, steps: int, batch: int, lr: float, seed: int = 0) -> Cell:
    """Fine-tuning of the encoder on CoLA, from the weights that it brings."""
    source = MINILM.pretrained.source(MINILM.settings(), 0)
    work = TrainWork(
        model=minilm(),
        method=Use("method", "full", "full", {"steps": steps, "lr": lr}, "0"),
        train=cola(path),
        augment=(),
        batch=batch,
        init="brought",
        checkpoint=source.name,
        checkpoint_digest=source.fingerprint,
    )
    return Cell(f"finetune-{seed}", Stage.FINETUNE, "minilm", (Seeds(0, seed),), (), work)


def pretraining_cell(path: str, *, steps: int, batch: int, lr: float) -> Cell:
    """A small encoder that learns from CoLA's sentences, read in word pieces, without labels."""
    file = f"{path}/in_domain_train.tsv"
    sentences = {"path": file, "header": False, "text": "4"}
    work = TrainWork(
        model=Use("model", "tiny-bert", "tiny-bert", {"tokenizer": "minilm"}, "0"),
        method=Use("method", "full", "full", {"steps": steps, "lr": lr}, "0"),
        train=SplitUse(
            "train", Use("dataset", "text", "text", sentences, "0", ("path",)), "", "train"
        ),
        augment=(),
        batch=batch,
        init="random",
    )
    return Cell("pretrain-0", Stage.PRETRAIN, "tiny-bert", (Seeds(0),), (), work)
