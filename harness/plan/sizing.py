"""How big the models of a plan are and how long their steps take, by building them.

Imports torch, and so is imported only when a cost is asked for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch
from torch import Tensor, nn

from harness.api.cells import Cell, EvaluateWork, Limit, SplitUse, TrainWork, Use
from harness.api.contexts import BuildRoom
from harness.api.data import Outline
from harness.api.networks import Network
from harness.plan.identity import canonical
from harness.plug import Catalogue, offer_from

TIMED = 3
PREDICTED = 256
"""Examples of the timed forward passes."""

RECORD_BYTES = 4_000
"""A record, which is all that a measure cell stores."""


@dataclass(frozen=True)
class Size:
    """Parameters of a model, and the bytes of its stored weights (buffers included)."""

    parameters: int
    bytes: int
    built_on: str


class Models:
    """Builds and times what it is asked for, everything once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._outlines: dict[str, Outline] = {}
        self._sizes: dict[tuple[str, str], Size] = {}
        self._paces: dict[tuple[str, str, int], tuple[float, float]] = {}

    def outline(self, dataset: Use) -> Outline:
        """What a dataset says of itself."""
        key = _written(dataset)
        if key not in self._outlines:
            offer, settings = offer_from(dataset, self._catalogue)
            self._outlines[key] = offer.outline(settings)
        return self._outlines[key]

    def size(self, model: Use, dataset: Use) -> Size:
        """The size of a model on a dataset."""
        key = (_written(model), _written(dataset))
        if key not in self._sizes:
            self._sizes[key] = _size(partial(self._build, model, dataset))
        return self._sizes[key]

    def pace(self, model: Use, dataset: Use, batch: int) -> tuple[float, float]:
        """Seconds of one training step, and of predicting one example, on one CPU thread."""
        key = (_written(model), _written(dataset), batch)
        if key not in self._paces:
            self._paces[key] = _pace(self._build(model, dataset), self.outline(dataset), batch)
        return self._paces[key]

    def examples(self, split: SplitUse, limit: Limit | None) -> int | None:
        """The number of examples of a split, None where the dataset does not say."""
        outline = self.outline(split.dataset)
        if split.source == "train":
            known = outline.train
        elif split.source in outline.ood:
            known = outline.ood[split.source].examples
        else:
            known = outline.id.get(split.source)
        most = None if limit is None else limit.examples
        return min(known, most) if known is not None and most is not None else known

    def bytes_of(self, cell: Cell) -> int | None:
        """What a cell takes on disk."""
        match cell.work:
            case TrainWork() as work:
                kept = 1 if work.branch else 1 + self._checkpoints(work, cell.steps or 0)
                return RECORD_BYTES + kept * self.size(work.model, work.train.dataset).bytes
            case EvaluateWork() as work:
                number = self.examples(work.split, cell.limit)
                classes = len(self.outline(work.train.dataset).task.classes)
                return None if number is None else RECORD_BYTES + number * (4 * classes + 4)
        return RECORD_BYTES

    def _checkpoints(self, work: TrainWork, steps: int) -> int:
        method, settings = offer_from(work.method, self._catalogue)
        asked = method.recipe(settings, self.outline(work.train.dataset)).checkpoints
        return 1 + max(0, steps - 1).bit_length() if asked == "log" else len(asked)

    def _build(self, model: Use, dataset: Use) -> Network:
        offer, settings = offer_from(model, self._catalogue)
        outline = self.outline(dataset)
        with torch.random.fork_rng(devices=[]):
            room = BuildRoom(outline.task, outline.inputs, torch.Generator().manual_seed(0))
            network: Network = offer.build(settings, room)
        return network


def _written(use: Use) -> str:
    return canonical([use.name, dict(use.settings), use.digest])


def _size(build: Callable[[], Network]) -> Size:
    try:
        with torch.device("meta"):
            module, where = build().module, "torch's meta device"
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        module, where = build().module, "the CPU"  # it draws in ways that need real tensors
    stored = [*module.parameters(), *module.buffers()]
    return Size(
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        bytes=sum(tensor.numel() * tensor.element_size() for tensor in stored),
        built_on=where,
    )


def _pace(network: Network, outline: Outline, batch: int) -> tuple[float, float]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        steps = [_step(network, outline, batch) for _ in range(1 + TIMED)]
        passes = [_pass(network, outline) for _ in range(1 + TIMED)]
    finally:
        torch.set_num_threads(threads)
    return median(steps[1:]), median(passes[1:]) / PREDICTED


def _step(network: Network, outline: Outline, batch: int) -> float:
    inputs, targets = _inputs(outline, batch), torch.arange(batch) % len(outline.task.classes)
    network.module.train()
    begun = time.perf_counter()
    loss = nn.functional.cross_entropy(network.logits(network.module(**inputs)), targets)
    trained = [parameter for parameter in network.module.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(loss, trained, allow_unused=True)
    with torch.no_grad():
        for parameter, gradient in zip(trained, gradients, strict=True):
            if gradient is not None:
                parameter.sub_(gradient, alpha=1e-3)
    return time.perf_counter() - begun


def _pass(network: Network, outline: Outline) -> float:
    inputs = _inputs(outline, PREDICTED)
    network.module.eval()
    begun = time.perf_counter()
    with torch.no_grad():
        network.logits(network.module(**inputs))
    return time.perf_counter() - begun


def _inputs(outline: Outline, batch: int) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(0)
    return {
        name: torch.randn((batch, *spec.shape), generator=draw)
        for name, spec in outline.inputs.items()
    }
