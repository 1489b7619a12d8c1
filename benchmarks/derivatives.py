"""What derivatives cost, in gradients of the mean loss by plain autograd; one thread.

Hessian products with the graph kept for all examples, for half of them and for none, alone and in a
block of four; norms of the gradients of single examples. An MLP, the built-in `cnn` and `resnet`,
and an encoder of `transformers` with random weights.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from transformers import BertConfig, BertModel, logging

from harness.api.contexts import BuildRoom
from harness.api.data import InputSpec, Task
from harness.api.offers import Model
from harness.measure.chunks import GRAPH
from harness.measure.data import bytes_per_example
from harness.measure.probe import SceneProbe
from harness.measure.scene import Budget
from harness.testing.scenes import World
from harness_models import harness_models

ROUNDS = 9
BLOCK = 4


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


class Images(nn.Module):
    """A built-in network of images, called as `module(x)`."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        super().__init__()
        offers: dict[str, Model] = {offer.name: offer for offer in harness_models()}
        spec = InputSpec(shape=shape, mean=(0.5,) * shape[0], std=(0.25,) * shape[0])
        task = Task("classification", tuple("0123456789"))
        room = BuildRoom(task=task, inputs={"image": spec}, generator=torch.Generator())
        offer = offers[name]
        self.body = offer.build(offer.settings(), room).module

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.body(image=x)  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """Tokens [n, t] to logits: a BERT of two layers, 64 wide."""

    def __init__(self) -> None:
        super().__init__()
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        shape: dict[str, Any] = {"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 1000}
        shape |= {"num_attention_heads": 4, "intermediate_size": 256}
        self.body = BertModel(BertConfig(**shape), add_pooling_layer=False)
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        states = self.body(input_ids=x, attention_mask=torch.ones_like(x)).last_hidden_state
        return self.head(states[:, 0])  # type: ignore[no-any-return]


def cases() -> dict[str, tuple[nn.Module, Tensor]]:
    """Networks and inputs."""
    draws = torch.Generator().manual_seed(0)
    tokens = torch.randint(1, 1000, (64, 24), generator=draws)
    return {
        "mlp": (Mlp(), torch.randn(2048, 784, generator=draws)),
        "cnn": (Images("cnn", (1, 8, 8)), torch.randn(500, 1, 8, 8, generator=draws)),
        "resnet": (Images("resnet", (3, 16, 16)), torch.randn(64, 3, 16, 16, generator=draws)),
        "encoder": (Encoder(), tokens),
    }


def ratios(base: Callable[[], object], works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Medians over rounds of processor time in units of the base's: others may be at work too."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for each in (base, *works.values()):
        each()
    for _ in range(ROUNDS):
        unit = _spent(base)
        for name, work in works.items():
            found[name].append(_spent(work) / unit)
    return {name: statistics.median(some) for name, some in found.items()}


def _spent(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def of(module: nn.Module, x: Tensor) -> dict[str, float]:
    """The ratios of one network."""
    y = torch.arange(len(x)) % 10
    module.eval()
    run = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    leaves = {n: p.detach().clone().requires_grad_() for n, p in module.named_parameters()}

    def gradient() -> object:
        loss = nn.functional.cross_entropy(functional_call(module, leaves, (x,)), y)
        return torch.autograd.grad(loss, list(leaves.values()))

    def probe(budget: Budget | None = None) -> SceneProbe:
        data = {"train": (x, y)}
        return World(module, data, {"r": run}, budget=budget or Budget()).probe("r")

    plain = probe()
    weights = plain.weights()
    sample = plain.view.sample("train", weights, None)
    each = bytes_per_example(plain.view.scene, dict(weights), sample)
    some = -(-len(x) // 2)
    budgets = {
        "kept": Budget(graph=2**40),
        "half_kept": Budget(batch=some * each, graph=some * each * GRAPH),
        "not_kept": Budget(batch=len(x) * each, graph=0),
    }
    size = len(plain.parameters(weights))
    block = torch.randn(BLOCK, size, generator=torch.Generator().manual_seed(1))
    works: dict[str, Callable[[], object]] = {}
    for name, budget in budgets.items():
        here = probe(budget)
        product = here.hessian_product(here.weights(), "train")
        works[f"product_{name}"] = partial(product, block[0])
        works[f"block_{name}"] = partial(product, block)
    works["example_norms"] = lambda: plain.example_gradient_norms(weights, "train")
    found = ratios(gradient, works)
    return {n: value / BLOCK if n.startswith("block") else value for n, value in found.items()}


def measure() -> dict[str, float]:
    """All ratios, by name; those of blocks per vector."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {
            f"{name}.{what}": ratio
            for name, (module, x) in cases().items()
            for what, ratio in of(module, x).items()
        }
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:40} {value:10.2f}")
