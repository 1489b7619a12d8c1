"""Training: our loop against a hand-written one, and stacks against one run after another."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from harness.api.cells import Cell, Seeds, SplitUse, Stage, TrainWork, Use
from harness.compute.device import choose_device
from harness.compute.workbench import Workbench
from harness.plug.discovery import discover
from harness.store.store import Store
from harness.train.pack import train_pack

PLUGINS = ("harness_models", "harness_methods", "harness_datasets")
SETTINGS: dict[str, dict[str, Any]] = {"cnn": {}, "mlp": {"hidden": [128, 128]}}


def bench_on(device: torch.device, folder: str) -> Workbench:
    return Workbench(discover(extra=PLUGINS), Store(Path(folder)), device, Path(folder), True)


def cells_of(model: str, runs: int, steps: int) -> list[Cell]:
    work = TrainWork(
        model=Use("model", model, model, SETTINGS[model], "0"),
        method=Use("method", "full", "full", {"steps": steps, "lr": 0.001}, "0"),
        train=SplitUse("train", Use("dataset", "digits", "digits", {}, "0"), "", "train"),
        augment=(),
        batch=64,
        init="random",
    )
    return [
        Cell(f"finetune-{seed}", Stage.FINETUNE, "random", (Seeds(0, seed),), (), work)
        for seed in range(runs)
    ]


def hand_written(bench: Workbench, cell: Cell, steps: int, fused: bool | None = None) -> None:
    """What a careful user would write: the same model, data on the device, torch's defaults.

    `fused=True` asks torch for the optimizer kernel that it does not choose by itself on a CPU.
    """
    work = cell.work
    assert isinstance(work, TrainWork)
    module = bench.network(work.model, work.train, 0).module.to(bench.device)
    split = bench.split(work.train)
    images, targets = split.model_inputs(slice(None))["image"], split.targets
    decayed = [p for p in module.parameters() if p.ndim >= 2]
    spared = [p for p in module.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": spared, "weight_decay": 0.0}],
        lr=0.001,
        fused=fused,
    )
    generator = torch.Generator().manual_seed(0)
    module.train()
    done = 0
    while done < steps:
        order = torch.randperm(len(targets), generator=generator).to(bench.device)
        for start in range(0, len(targets) - 63, 64):
            where = order[start : start + 64]
            optimizer.zero_grad()
            loss = F.cross_entropy(module(image=images[where]), targets[where])
            loss.backward()
            optimizer.step()
            done += 1
            if done == steps:
                return


def serial_against_hand_written(model: str = "cnn", steps: int = 100) -> dict[str, Any]:
    """Seconds of a fine-tune cell, ours and by hand, on one CPU thread; medians of paired turns."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        bench = bench_on(torch.device("cpu"), folder)
        (cell,) = cells_of(model, 1, steps)
        turns = []
        for _ in range(12):
            a = _seconds(lambda: train_pack([cell], bench, _silent), bench.device)
            b = _seconds(lambda: hand_written(bench, cell, steps), bench.device)
            c = _seconds(lambda: hand_written(bench, cell, steps, True), bench.device)
            turns.append((a, b, c))
    torch.set_num_threads(threads)
    turns = turns[2:]
    return {
        "model": model,
        "steps": steps,
        "seconds": statistics.median(a for a, _, _ in turns),
        "by_hand": statistics.median(b for _, b, _ in turns),
        "ratio": statistics.median(a / b for a, b, _ in turns),
        "ratio_to_fused": statistics.median(a / c for a, _, c in turns),
    }


def stacked_against_one_by_one(
    device: str = "cuda", runs: tuple[int, ...] = (8, 32, 128), steps: int = 100
) -> dict[str, Any]:
    """Seconds for so many runs as one stack, and one after another (timed on up to 8 of them)."""
    if device == "cuda" and not torch.cuda.is_available():
        return {"skipped": "no GPU"}
    found: dict[str, Any] = {"device": device, "steps": steps}
    with tempfile.TemporaryDirectory() as folder:
        bench = bench_on(choose_device(device), folder)
        for model in SETTINGS:
            cells = cells_of(model, max(runs), steps)
            train_pack(cells[:2], bench, _silent)
            few = cells[: min(8, *runs)]
            single = _seconds(lambda few=few: _one_by_one(few, bench), bench.device) / len(few)
            for size in runs:
                pack = cells[:size]
                train_pack(pack, bench, _silent)  # plans kernels for these shapes
                stack = _seconds(lambda p=pack: train_pack(p, bench, _silent), bench.device)
                found[f"{model} x {size}"] = {
                    "stacked": stack,
                    "one_by_one": single * size,
                    "speedup": single * size / stack,
                }
    return found


def _one_by_one(cells: list[Cell], bench: Workbench) -> None:
    for cell in cells:
        train_pack([cell], bench, _silent)


def _seconds(do: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    do()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _silent(_line: str) -> None:
    pass


if __name__ == "__main__":
    print(serial_against_hand_written("cnn"))
    print(serial_against_hand_written("mlp"))
    where = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    print(stacked_against_one_by_one(where, (8, 32, 128) if where == "cuda" else (4, 8)))
