"""What a plane costs: 41 x 41 points of `cnn` on 1,000 images of 28 x 28, against bare passes.

`python benchmarks/run.py planes`. First within one process: every row of the grid in turn with as
many forward passes of the bare network, processor time of either, so that other work on the
machine hurts both alike. Then as a suite through a store: wall time from the first part to the
last, one process against two workers.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from harness.api.cells import Seeds
from harness.api.contexts import BuildRoom, Subject
from harness.api.data import InputSpec, Task
from harness.measure.joining import join
from harness.measure.reading import Order, read
from harness.testing.scenes import World
from harness_landscape.plane import PLANE, PlaneSettings
from harness_models.cnn import CNN, CnnSettings

POINTS = 41
EXAMPLES = 1000
CLASSES = 10
BATCHES = (1000, 500, 250, 125, 64, 32)
"""Sizes that the bare passes may choose from: the fastest is the baseline."""

SUITE = """
id: planes
version: "1"
model: cnn
data: {{dataset: {{arrays: {{path: {path}}}}}, batch: 64}}
inits: [random]
methods: [{{full: {{steps: 20}}}}]
seeds: {{pretrain: 1, finetune: 2}}
scores: [accuracy]
metrics: [{{plane: {{points: {points}}}}}]
"""


def measure() -> dict[str, float]:
    """Ratios to bare passes, and the speed-up by a second worker."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = in_one_process()
        return {**alone, **through_a_store(alone["bare_pass_ms"])}
    finally:
        torch.set_num_threads(threads)


def in_one_process() -> dict[str, float]:
    """The plane row by row, each in turn with as many bare passes."""
    x, y = images(EXAMPLES)
    net = network(0)
    runs = {"a/init": net, "a": trained(0, x, y), "b": trained(1, x, y)}
    world = World(
        net,
        {"train": (x, y), "test": (x, y)},
        {name: run.state_dict() for name, run in runs.items()},
    )
    bare = fastest(net, x)
    subject = Subject("pair", ("a", "b"), (Seeds(0, 0), Seeds(0, 1)), "same-pretrain-seed")
    settings, shared = PlaneSettings(points=POINTS), world.shared()
    spent = base = 0.0
    parts = []
    for number in range(PLANE.parts.count(settings)):  # type: ignore[union-attr]  # it has parts
        order = Order(PLANE, settings, subject, ("test",), number)
        started = time.process_time()
        parts.append(read(order, shared))
        spent += time.process_time() - started
        started = time.process_time()
        for _ in range(POINTS):
            bare()
        base += time.process_time() - started
    started = time.process_time()
    whole = join(PLANE, settings, parts)
    spent += time.process_time() - started
    assert len(whole.grids[0].z["loss"]) == POINTS
    return {
        "bare_pass_ms": 1e3 * base / POINTS**2,
        "plane_per_bare_passes": spent / base,
    }


def fastest(net: nn.Module, x: Tensor) -> Callable[[], None]:
    """A forward pass over all images, in batches of the size that is fastest here."""

    def passes(size: int) -> Callable[[], None]:
        def run() -> None:
            with torch.no_grad():
                for start in range(0, len(x), size):
                    net(x=x[start : start + size])

        return run

    def seconds(run: Callable[[], None]) -> float:
        run()
        times = []
        for _ in range(5):
            started = time.process_time()
            run()
            times.append(time.process_time() - started)
        return min(times)

    net.eval()
    return min((passes(size) for size in BATCHES), key=seconds)


def through_a_store(bare_ms: float) -> dict[str, float]:
    """The same plane of a suite: all parts by one process, by two workers, and taken up again."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        arrays = {}
        for name in ("train", "test"):
            x, y = images(EXAMPLES, seed=len(name))
            pixels = (255 * x).to(torch.uint8).numpy()
            arrays |= {f"x_{name}": pixels[:, 0], f"y_{name}": y.numpy()}
        np.savez(place / "images.npz", **arrays)
        suite = place / "planes.yaml"
        suite.write_text(SUITE.format(path=place / "images.npz", points=POINTS))
        one = seconds_of_parts(suite, place / "one", "--executor", "serial")
        two = seconds_of_parts(suite, place / "two", "--workers", "2")
        again = command(suite, place / "two", "--workers", "2")
        return {
            "one_process_seconds": one,
            "two_workers_seconds": two,
            "two_workers_speedup": one / two,
            "one_process_per_bare_passes": one / (1e-3 * bare_ms * POINTS**2),
            "finished_plane_again_seconds": again,
        }


def seconds_of_parts(suite: Path, store: Path, *options: str) -> float:
    """From the start of the first part to the end of the reading that joins them."""
    command(suite, store, *options)
    times: dict[str, list[datetime]] = {"started": [], "finished": []}
    for line in (store / "suites" / "planes-1" / "journal.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if str(entry.get("key", "")).startswith(("part-", "measure-")) and entry["event"] in times:
            times[entry["event"]].append(datetime.fromisoformat(entry["when"]))
    assert len(times["finished"]) == POINTS + 1, "every row, and the whole"
    return (max(times["finished"]) - min(times["started"])).total_seconds()


def command(suite: Path, store: Path, *options: str) -> float:
    """Seconds that the command took."""
    words = [sys.executable, "-m", "harness.cli", "run", str(suite), "--store", str(store)]
    started = time.perf_counter()
    subprocess.run(
        [*words, "--device", "cpu", "--no-report", "--pack", "1", *options],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def images(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noise in which each class has a bright bar of its own."""
    draw = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % CLASSES
    x = 0.5 * torch.rand(count, 1, 28, 28, generator=draw)
    for label in range(CLASSES):
        x[y == label, :, :, 2 * label + 4 : 2 * label + 6] += 0.4
    return x, y


def network(seed: int) -> nn.Module:
    """The built-in `cnn` with its default settings."""
    classes = tuple(str(label) for label in range(CLASSES))
    task = Task("classification", classes)
    draw = torch.Generator().manual_seed(seed)
    module: nn.Module = CNN.build(
        CnnSettings(), BuildRoom(task, {"x": InputSpec((1, 28, 28))}, draw)
    ).module
    for parameter in module.parameters():
        if parameter.dim() > 1:
            fan = parameter[0].numel()
            parameter.data.normal_(0, (2 / fan) ** 0.5, generator=draw)
    return module


def trained(seed: int, x: Tensor, y: Tensor) -> nn.Module:
    """The network after a few steps in an order of its own."""
    net = network(0)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    for batch in order[:640].split(64):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x=x[batch]), y[batch]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return net


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
