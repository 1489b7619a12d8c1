"""How many copies of the weights a large network's measurements hold, by the process's own peak."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

SCENE = """
    import gc, json, resource, threading
    from pathlib import Path

    import torch
    from torch import nn

    from harness.api.looks import Look
    from harness.measure.scene import Budget
    from harness.testing.scenes import World


    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            with torch.device("meta"):
                self.parts = nn.ModuleList(nn.Linear(1600, 1600) for _ in range(10))
                self.norm = nn.BatchNorm1d(1600)
                self.head = nn.Linear(1600, 3)

        def forward(self, x):
            for part in self.parts:
                x = torch.tanh(part(x))
            return self.head(self.norm(x))


    def drawn(seed):
        generator = torch.Generator().manual_seed(seed)
        return {
            name: torch.randn(tensor.shape, generator=generator) / 40
            if tensor.is_floating_point() else torch.zeros_like(tensor, device="cpu")
            for name, tensor in Wide().state_dict().items()
        }


    def held():
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


    def peak(work):
        before = most = held()
        done = threading.Event()

        def watch():
            nonlocal most
            while not done.wait(0.002):
                most = max(most, int(Path("/proc/self/statm").read_text().split()[1])
                           * resource.getpagesize())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            work()
        finally:
            done.set()
            watcher.join()
        return (most - before) / copy


    runs = {"a": drawn(0), "b": drawn(1)}
    runs["a"]["norm.running_var"].fill_(1.0)
    runs["b"]["norm.running_var"].fill_(1.0)
    size = sum(t.numel() for t in runs["a"].values())
    copy = 4 * size
    x = torch.randn(8, 1600)
    data = x, torch.arange(8) % 3
    module = Wide()
    module.to_empty(device="cpu")
    module.load_state_dict(runs["a"])
    budget = Budget(batch=2**20, graph=0, basis=10 * copy, cache=copy // 4)
    world = World(module, {"train": data, "test": data}, runs, budget=budget)
    probe = world.probe("a", "b")
    here, there = probe.weights(0), probe.weights(1)
    v = torch.randn(size)[: len(probe.parameters(here))]


    def line():
        points = probe.line(here, there, [n / 10 for n in range(11)])
        probe.evaluate(probe.recalibrated(points), "test")


    def plane():
        one, other = probe.parameters(here), probe.parameters(there)
        for first in range(3):
            for second in range(3):
                probe.evaluate([probe.at(one + first * other + second * one, here)], "test")


    def krylov():
        space = probe.krylov(here, "train")
        space.top(2, by="magnitude", tolerance=1e-9, products=14)


    print(json.dumps({
        "line": peak(line),
        "plane": peak(plane),
        "gradient": peak(lambda: probe.gradient(here, "train")),
        "slope": peak(lambda: probe.slope(here, "train", Look())),
        "product": peak(lambda: probe.hessian_product(here, "train")(v)),
        "density": peak(lambda: probe.krylov(here, "train").density(6, 1)),
        "krylov": peak(krylov),
    }))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the resident memory from /proc")
def test_a_network_of_26_million_parameters_is_measured_with_a_few_copies_of_its_weights():
    environment = {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "1048576"}

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCENE)],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    copies = json.loads(done.stdout.splitlines()[-1])
    assert copies["line"] < 1.5
    assert copies["plane"] < 5.5
    assert copies["gradient"] < 2.6
    assert copies["slope"] < 3.5
    assert copies["product"] < 4.5
    assert copies["density"] < 5 + 2 + 4.5  # half of the basis, the last two vectors, a product
    assert copies["krylov"] < 10 + 2 + 4.5  # all of the basis
