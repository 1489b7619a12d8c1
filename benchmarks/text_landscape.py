"""The barrier between two runs of a real encoder on CoLA, against 11 plain evaluations.

One thread; processor time, in turns; a ratio is the median over turns. Plain: `predict`, as runs
are scored, on both development sets; and by hand, sentences sorted by length.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable

import torch
from text_scene import bench_at, cola, cola_folder, minilm
from torch import Tensor, nn

from harness.api.cells import Cell, EvaluateWork, MeasureWork, Seeds, Stage, Use
from harness.api.readings import Reading
from harness.compute.workbench import Workbench
from harness.evaluate.predict import predict
from harness.measure.pack import measure_pack
from harness_models.minilm import MINILM

POINTS = 11
SPLITS = ("dev", "out-of-domain")
TOKENS = 4096


def measure(turns: int = 3) -> dict[str, object]:
    """All figures by name, or why there are none."""
    path = cola_folder()
    if path is None:
        return {"skipped": "SEEDSCAPE_DATA names no folder with cola"}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        bench = bench_at(folder)
        _lend_runs(bench, str(path))
        works: dict[str, Callable[[], object]] = {
            "barrier": lambda: _barrier(bench, str(path)),
            "plain": lambda: _plain(bench, str(path)),
            "by_hand": lambda: _by_hand(bench, str(path)),
        }
        spent: dict[str, list[float]] = {name: [] for name in works}
        for turn in range(turns + 1):
            for name, work in works.items():
                started = time.process_time()
                work()
                if turn:  # the first warms up
                    spent[name].append(time.process_time() - started)
    torch.set_num_threads(threads)
    over = {
        name: statistics.median(a / b for a, b in zip(spent["barrier"], others, strict=True))
        for name, others in spent.items()
    }
    return {
        "points": POINTS,
        "examples": 527 + 516,
        "barrier_seconds": statistics.median(spent["barrier"]),
        "over_plain_evaluations": over["plain"],
        "over_evaluations_by_hand": over["by_hand"],
    }


def _lend_runs(bench: Workbench, path: str) -> None:
    """Two runs that differ in all weights by a little, where the workbench keeps those it read."""
    brought = MINILM.pretrained.source(MINILM.settings(), 0)
    loaded = MINILM.pretrained.load(MINILM.settings(), brought.name, bench.room)
    drawn = bench.network(minilm(), cola(path), 0).module.state_dict()
    for run in range(2):
        chance = torch.Generator().manual_seed(run)
        weights = {
            name: tensor + 0.01 * tensor.std() * torch.randn(tensor.shape, generator=chance)
            if tensor.is_floating_point() and tensor.numel() > 1
            else tensor
            for name, tensor in {**drawn, **loaded}.items()
        }
        size = sum(tensor.nbytes for tensor in weights.values())
        bench._weights.put(f"run-{run}/final", weights, size)


def _barrier(bench: Workbench, path: str) -> None:
    work = MeasureWork(
        metric=Use("metric", "barrier", "barrier", {}, "0"),
        of="pair",
        model=minilm(),
        train=cola(path),
        splits=tuple(cola(path, name) for name in SPLITS),
    )
    parents = ("run-0", "run-1")
    cell = Cell("measure-0", Stage.MEASURE, "minilm", (Seeds(0, 0), Seeds(0, 1)), parents, work)
    ((_, found),) = measure_pack([cell], bench)
    if not isinstance(found, Reading):
        raise found


def _plain(bench: Workbench, path: str) -> None:
    for point in range(POINTS):
        for name in SPLITS:
            work = EvaluateWork(minilm(), cola(path), cola(path, name), ())
            parents = (f"run-{point % 2}",)
            predict(
                Cell("evaluate-0", Stage.EVALUATE, "minilm", (Seeds(0, 0),), parents, work), bench
            )


def _by_hand(bench: Workbench, path: str) -> None:
    module = bench.untouched(minilm(), cola(path)).module.eval()
    for point in range(POINTS):
        module.load_state_dict(bench.weights(f"run-{point % 2}"))
        for name in SPLITS:
            split = bench.split(cola(path, name), None, minilm())
            packed = split.packed
            assert packed is not None
            rows = [packed.columns["input_ids"][a:b].long() for a, b in _ends(packed.offsets)]
            rows.sort(key=len)
            size = TOKENS // max(map(len, rows))
            with torch.no_grad():
                for start in range(0, len(rows), size):
                    ids = nn.utils.rnn.pad_sequence(rows[start : start + size], batch_first=True)
                    module(input_ids=ids, attention_mask=(ids != 0).long())


def _ends(offsets: Tensor) -> list[tuple[int, int]]:
    return list(itertools.pairwise(offsets.tolist()))


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key}: {value:.4g}" if isinstance(value, float) else f"{key}: {value}")
