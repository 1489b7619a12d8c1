"""How big the models of a plan are and how long their steps take, by building them.

Imports torch, and so is imported only when a cost is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from harness.api.cells import Cell, EvaluateWork, Limit, SplitUse, TrainWork, Use
from harness.api.contexts import BuildRoom
from harness.api.data import DataRoom, Outline
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.api.texts import Reader
from harness.plan.identity import canonical
from harness.plan.pacing import Trial
from harness.plug import Catalogue, offer_from

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

    def __init__(self, catalogue: Catalogue, room: DataRoom) -> None:
        self._catalogue = catalogue
        self._room = room
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
        """Seconds of one training step, and of predicting one example, on one CPU thread.

        Of texts of 64 tokens, where the data are text.
        """
        key = (_written(model), _written(dataset), batch)
        if key not in self._paces:
            outline = self.outline(dataset)
            reader = self._reader(model, outline)
            self._paces[key] = Trial(self._build(model, dataset), outline, reader).pace(batch)
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

    def _reader(self, model: Use, outline: Outline) -> Reader | None:
        if not any(spec.kind == "text" for spec in outline.inputs.values()):
            return None
        offer, settings = offer_from(model, self._catalogue)
        if offer.reader is None:
            raise HarnessError(f"the model {model.name!r} takes no text, and the data are text")
        reader: Reader = offer.reader(settings, self._room)
        return reader

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
