"""What measuring costs: ratios within one run, one thread.

`python -m benchmarks.measuring` prints them; `measure()` gives them.
"""

import itertools
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from harness.measure.scene import Budget
from harness.testing.scenes import World
from harness_landscape.barrier import BARRIER, BarrierSettings
from harness_landscape.hessian_top import HESSIAN_TOP, HessianTopSettings


class Mlp(nn.Module):
    """784-64-64-10 (P = 55,050), or with other inputs."""

    def __init__(self, inputs: int = 784) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.layers(x)  # type: ignore[no-any-return]


def trained(inputs: int, count: int, x: Tensor, y: Tensor) -> dict[str, dict[str, Tensor]]:
    """Some networks after a few steps: real spectra, not random ones."""
    runs = {}
    for seed in range(count):
        generator = torch.Generator().manual_seed(seed)
        net = Mlp(inputs)
        for parameter in net.parameters():
            fan = parameter.shape[-1] if parameter.dim() > 1 else 64
            parameter.data.normal_(0, fan**-0.5, generator=generator)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        for _ in range(60):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
        runs[f"run-{seed}"] = {name: t.detach().clone() for name, t in net.state_dict().items()}
    return runs


def clusters(inputs: int, count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Ten overlapping Gaussian clusters."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(10, inputs, generator=torch.Generator().manual_seed(99))
    y = torch.arange(count) % 10
    return centres[y] * 0.3 + torch.randn(count, inputs, generator=generator), y


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Median processor time over rounds, after one that warms up: others may be at work too."""
    work()
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times)


def products() -> dict[str, float]:
    """A Hessian product against loss and gradient: 784-64-64-10, 2,048 examples."""
    x, y = clusters(784, 2048)
    runs = trained(784, 1, x, y)
    world = World(Mlp(), {"train": (x, y)}, runs)
    probe = world.probe("run-0")
    net = Mlp()
    net.load_state_dict(runs["run-0"])
    wanted = list(net.parameters())

    def gradient() -> object:
        return torch.autograd.grad(nn.functional.cross_entropy(net(x), y), wanted)

    v = torch.randn(55050, generator=torch.Generator().manual_seed(1))
    kept = probe.hessian_product(probe.weights(), "train")
    bounded = World(Mlp(), {"train": (x, y)}, runs, budget=Budget(graph=0)).probe("run-0")
    anew = bounded.hessian_product(bounded.weights(), "train")
    base = seconds(gradient, 40)
    reading = world.read(HESSIAN_TOP, ["run-0"], HessianTopSettings(examples=None))
    found = {value.name: value.value for value in reading.values}
    return {
        "gradient_ms": 1e3 * base,
        "product_kept_graph_per_gradient": seconds(lambda: kept(v), 40) / base,
        "product_no_graph_per_gradient": seconds(lambda: anew(v), 20) / base,
        "top5_products": found["products"],
        "top5_per_gradient": reading.cost.seconds / base,
    }


def barriers(inputs: int) -> dict[str, float]:
    """All pairs of 25 networks, 11 points, 1,200 examples, against loading each state."""
    x, y = clusters(inputs, 1200)
    runs = trained(inputs, 25, x, y)
    pairs = list(itertools.combinations(runs, 2))
    world = World(Mlp(inputs), {"train": (x, y), "test": (x, y)}, runs)
    settings = BarrierSettings(points=11)

    started = time.process_time()
    shared = world.shared()
    ours = [world.read(BARRIER, pair, settings, shared).values[0].value for pair in pairs]
    spent = time.process_time() - started

    started = time.process_time()
    some = pairs[:10]
    theirs = [_plain(inputs, runs[a], runs[b], (x, y)) for a, b in some]
    plain = (time.process_time() - started) * len(pairs) / len(some)
    for one, other in zip(ours, theirs, strict=False):
        assert abs(one - other) < 1e-5 * max(1.0, abs(other)), (one, other)
    return {
        "all_pairs_s": spent,
        "plain_loop_s_extrapolated": plain,
        "faster": plain / spent,
    }


def _plain(
    inputs: int, start: dict[str, Tensor], end: dict[str, Tensor], data: tuple[Tensor, Tensor]
) -> float:
    """What one writes first: every point loaded into the model, a loader over the data."""
    net = Mlp(inputs).eval()
    loader = DataLoader(TensorDataset(*data), batch_size=128)
    losses = []
    for number in range(11):
        alpha = number / 10
        net.load_state_dict({n: (1 - alpha) * start[n] + alpha * end[n] for n in start})
        total = 0.0
        with torch.no_grad():
            for x, y in loader:
                total += nn.functional.cross_entropy(net(x), y, reduction="sum").item()
        losses.append(total / len(data[1]))
    chord = [losses[0] + (losses[-1] - losses[0]) * n / 10 for n in range(11)]
    return max(loss - line for loss, line in zip(losses, chord, strict=True))


def measure() -> dict[str, float]:
    """All figures, by name."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {
            **{f"hessian.{name}": value for name, value in products().items()},
            **{f"barrier_64.{name}": value for name, value in barriers(64).items()},
            **{f"barrier_784.{name}": value for name, value in barriers(784).items()},
        }
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:50} {value:10.3f}")
