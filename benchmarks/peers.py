"""The same work, done by packages that people use for it: `loss-landscapes` and `pyhessian`.

`python benchmarks/run.py peers` prints the figures; `measure()` gives them. Install the packages
with `pip install --no-deps -r tests/peers.txt`; what is absent is skipped, and said.

One thread; processor time, in turns, because others may be at work too; a ratio is the median over
turns of theirs over ours. *batch*: all examples in one batch; *loader*: a `DataLoader` in batches
of 128, as it takes where they do not fit. Both are compared with a reference that neither made; how
close they come is among the figures.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from harness.testing.scenes import World
from harness_models.modules import image_norm

Work = Callable[[], object]
CRITERION = nn.CrossEntropyLoss()


class Net(nn.Module):
    """Layers one after the other."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.layers(x)  # type: ignore[no-any-return]


def mlp() -> Net:
    """784-64-64-10 (P = 55,050)."""
    return Net(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def cnn() -> Net:
    """`cnn` as suites have it, 16 wide, for images of 8 x 8 pixels (P = 24,058)."""
    layers: list[nn.Module] = [nn.Unflatten(1, (1, 8, 8))]
    channels = 1
    for stage, width in enumerate((16, 32, 64)):
        layers += [nn.MaxPool2d(2)] if stage else []
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False)]
        layers += [image_norm("group", width), nn.ReLU()]
        channels = width
    return Net(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


@dataclass(frozen=True)
class Case:
    """A network, examples, and two runs "a" and "b" that were trained from one start."""

    name: str
    build: Callable[[], nn.Module]
    x: Tensor
    y: Tensor
    runs: dict[str, dict[str, Tensor]]

    def net(self, run: str = "a") -> nn.Module:
        """The network with a run's weights, in evaluation mode."""
        net = self.build().eval()
        net.load_state_dict(self.runs[run])
        return net

    def world(self) -> World:
        """What our metrics are given."""
        data = {"train": (self.x, self.y), "test": (self.x, self.y)}
        return World(self.build(), data, self.runs)

    def loader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Batches of 128."""
        return DataLoader(TensorDataset(self.x, self.y), batch_size=128)


def case(name: str, build: Callable[[], nn.Module], inputs: int, count: int) -> Case:
    """Ten overlapping clusters, and two runs of 60 steps that differ in their batches."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(10, inputs, generator=generator)
    y = torch.arange(count) % 10
    x = centres[y] * 0.3 + torch.randn(count, inputs, generator=generator)
    start = build()
    for parameter in start.parameters():
        if parameter.dim() > 1:
            fan = parameter[0].numel()
            parameter.data.normal_(0, fan**-0.5, generator=generator)
    initial = {name: tensor.clone() for name, tensor in start.state_dict().items()}
    runs = {f"{run}/init": initial for run in "ab"}
    for seed, run in enumerate("ab"):
        net = build()
        net.load_state_dict(initial)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
        order = torch.Generator().manual_seed(seed)
        for _ in range(60):
            some = torch.randint(count, (256,), generator=order)
            optimizer.zero_grad()
            CRITERION(net(x[some]), y[some]).backward()
            optimizer.step()
        runs[run] = {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}
    return Case(name, build, x, y, runs)


def turns(works: dict[str, Work], count: int) -> dict[str, list[float]]:
    """Processor seconds of each, one after the other, so many times after one that warms up."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(count + 1):
        for name, work in works.items():
            started = time.process_time()
            work()
            if turn:
                spent[name].append(time.process_time() - started)
    return spent


def ratios(what: str, works: dict[str, Work], count: int) -> dict[str, float]:
    """Ours in milliseconds, and the median of each other one over ours."""
    spent = turns(works, count)
    ours = spent.pop("ours")
    found = {f"{what}.ours_ms": 1e3 * statistics.median(ours)}
    for name, theirs in spent.items():
        pairs = zip(theirs, ours, strict=True)
        found[f"{what}.{name}_over_ours"] = statistics.median(a / b for a, b in pairs)
    return found


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """The global generator, which the peers draw from, at a seed; put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def measure() -> dict[str, object]:
    """All figures by name, or why there are none."""
    from peers_curvature import curvature
    from peers_paths import paths

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    figures: dict[str, object] = {}
    try:
        for one in (case("mlp", mlp, 784, 2048), case("cnn", cnn, 64, 256)):
            for package, compared in (("loss_landscapes", paths), ("pyhessian", curvature)):
                if find_spec(package) is None:
                    figures[f"{one.name}.{package}"] = "skipped: it is not installed"
                    continue
                figures |= {f"{one.name}.{name}": value for name, value in compared(one).items()}
    finally:
        torch.set_num_threads(threads)
    return figures
