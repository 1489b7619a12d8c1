"""Fine-tuning an encoder of BERT-base's size on a GPU: one run, runs in a stack, and the Trainer.

`python benchmarks/text_gpu.py` wants a CUDA device and prints tokens and samples per second, and
the share of the device's peak (MFU). `--tiny` proves on any machine that it runs: its figures mean
nothing. Weights are random; sentences are CoLA's. All ways take batches of 32 in bfloat16, AdamW,
dropout on. Ours are put together by length; the Trainer pads shuffled batches, its default. Tokens
count without padding, so that padding is nobody's gain.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from text_scene import bench_at, cola, cola_folder
from text_ways import BATCH, DECAY, LR, sentences_of

from harness.api.cells import Cell, Seeds, Stage, TrainWork, Use
from harness.compute.workbench import Workbench
from harness.train.pack import train_pack
from harness_models.minilm import folder as minilm_folder

PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L4": 121e12, "T4": 65e12}
"""Dense bfloat16 operations per second, from the makers' data sheets (T4: float16)."""


@dataclass(frozen=True)
class Size:
    """An encoder, how long it trains, and how many runs are stacked."""

    layers: int
    width: int
    heads: int
    steps: int
    stacks: tuple[int, ...]


BASE = Size(layers=12, width=768, heads=12, steps=100, stacks=(2, 4, 8))
TINY = Size(layers=2, width=32, heads=2, steps=3, stacks=(2,))


def measure(size: Size = BASE, device: str = "cuda") -> dict[str, object]:
    """All figures by name, or why there are none."""
    path = cola_folder()
    if path is None:
        return {"skipped": "SEEDSCAPE_DATA names no folder with cola"}
    if device == "cuda" and not torch.cuda.is_available():
        return {"skipped": "no GPU"}
    found: dict[str, object] = {"device": _name(device), "steps": size.steps, "batch": BATCH}
    with tempfile.TemporaryDirectory() as folder:
        model = _encoder_in(Path(folder) / "encoder", size)
        bench = bench_at(folder, device)
        split = bench.split(cola(str(path)), None, _use(model))
        assert split.packed is not None
        tokens = float(split.packed.lengths.double().mean())
        network = bench.untouched(_use(model), cola(str(path)))
        numbers = _working(network.module)
        del network
        for runs in (1, *size.stacks):
            taken = _steady(partial(_train, model, str(path), runs, bench), size.steps, device)
            name = "alone" if runs == 1 else f"stack_of_{runs}"
            found |= _figures(name, runs * BATCH / taken, tokens, numbers, device)
        trainer = partial(_by_trainer, model, str(path), device)
        rate = BATCH / _steady(trainer, size.steps, device)
        found |= _figures("trainer", rate, tokens, numbers, device)
    base = found["trainer.samples_per_second"]
    for name in ("alone", *(f"stack_of_{runs}" for runs in size.stacks)):
        found[f"{name}.times_trainer"] = found[f"{name}.samples_per_second"] / base  # type: ignore[operator]
    return found


def _figures(
    name: str, samples: float, tokens: float, numbers: int, device: str
) -> dict[str, object]:
    """Six operations for each weight that multiplies, and token: forwards and backwards."""
    peak = next((most for part, most in PEAKS.items() if part in _name(device)), None)
    rate = samples * tokens
    used = {} if peak is None else {f"{name}.mfu": 6 * numbers * rate / peak}
    return {f"{name}.samples_per_second": samples, f"{name}.tokens_per_second": rate, **used}


def _working(module: torch.nn.Module) -> int:
    """Parameters that every token is multiplied by: tables of embeddings are looked up."""
    tables = [p.weight for p in module.modules() if isinstance(p, torch.nn.Embedding)]
    return sum(p.numel() for p in module.parameters()) - sum(p.numel() for p in tables)


def _encoder_in(folder: Path, size: Size) -> Path:
    """A folder with the configuration of an encoder, and a tokenizer; there are no weights."""
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copy(minilm_folder() / name, folder / name)
    config = json.loads((minilm_folder() / "config.json").read_text())
    config |= {
        "num_hidden_layers": size.layers,
        "hidden_size": size.width,
        "num_attention_heads": size.heads,
        "intermediate_size": 4 * size.width,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _use(model: Path) -> Use:
    return Use("model", "transformer", "transformer", {"checkpoint": str(model)}, "0")


def _cell(model: Path, path: str, seed: int, steps: int) -> Cell:
    work = TrainWork(
        model=_use(model),
        method=Use("method", "full", "full", {"steps": steps, "lr": LR}, "0"),
        train=cola(path),
        augment=(),
        batch=BATCH,
        init="random",
    )
    key = f"finetune-{seed}"
    return Cell(key, Stage.FINETUNE, "", (Seeds(seed, seed),), (), work, precision="bfloat16")


def _steady(train: Callable[[int], object], steps: int, device: str) -> float:
    """Seconds of a step, without what comes before the first and after the last.

    The difference between a long and a short training, after one that plans kernels.
    """
    taken = []
    for count in (steps, steps, 3 * steps):
        _wait(device)
        started = time.perf_counter()
        train(count)
        _wait(device)
        taken.append(time.perf_counter() - started)
    return (taken[2] - taken[1]) / (2 * steps)


def _train(model: Path, path: str, runs: int, bench: Workbench, steps: int) -> None:
    cells = [_cell(model, path, seed, steps) for seed in range(runs)]
    train_pack(cells, bench, lambda line: None)


def _by_trainer(model: Path, path: str, device: str, steps: int) -> None:
    from datasets import Dataset
    from transformers import (
        AutoConfig,
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    tokenizer = AutoTokenizer.from_pretrained(model)
    texts, labels = sentences_of(path)
    data = Dataset.from_dict({**tokenizer(texts), "labels": labels})
    network = AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(model))
    told = TrainingArguments(
        output_dir=str(model.parent / "trainer"),
        per_device_train_batch_size=BATCH,
        learning_rate=LR,
        weight_decay=DECAY,
        max_steps=steps,
        max_grad_norm=0.0,  # as ours, which does not clip
        bf16=True,
        use_cpu=device == "cpu",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    collator = DataCollatorWithPadding(tokenizer)
    Trainer(network, told, collator, train_dataset=data).train()


def _name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else device


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a proof that it runs, on a CPU")
    tiny = parser.parse_args().tiny
    figures = measure(TINY, "cpu") if tiny else measure()
    if tiny:
        print("a trial on a CPU with a tiny encoder: these figures mean nothing")
    for name, value in figures.items():
        print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")


if __name__ == "__main__":
    main()
