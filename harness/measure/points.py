"""Named points of a run: where it started, what it passed, where it ended."""

from dataclasses import dataclass

from pydantic import BaseModel
from torch import Tensor

from harness.api.cells import MeasureWork, Seeds, Use
from harness.api.contexts import Weights
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.api.offers import Method
from harness.api.results import CellRecord, Trained
from harness.api.settings import Json
from harness.compute.brought import brought_weights
from harness.compute.building import wants_fresh_head, with_head
from harness.compute.streams import RunStreams, derive
from harness.compute.workbench import Workbench

STARTS = ("init", "pretrained")
AFRESH = "fresh-"  # and a number: weights of no run, drawn as a random start would be


class _Seeds(BaseModel):
    """The seeds in an identity: those that draw something."""

    pretrain: int = 0
    finetune: int | None = None
    order: int | None = None
    nested: bool = False


class _Method(BaseModel):
    name: str
    digest: str
    settings: dict[str, Json] = {}


class _Training(BaseModel):
    """What the identity of a training says of its start."""

    init: str
    method: _Method
    seeds: _Seeds

    @property
    def streams(self) -> RunStreams:
        seeds = self.seeds
        return RunStreams.of(Seeds(seeds.pretrain, seeds.finetune, seeds.order, seeds.nested))

    @property
    def use(self) -> Use:
        method = self.method
        return Use("method", method.name, method.name, method.settings, method.digest)


@dataclass(frozen=True)
class RunPoints:
    """Points of trained runs, by key; `work` says how the runs' network is built.

    What is not stored of a run's start is made again as its training made it: the parent's
    weights, or those that its seeds draw.
    """

    bench: Workbench
    work: MeasureWork

    def named(self, key: str) -> tuple[str, ...]:
        """Names of the points that there are, from start to end."""
        record = self.bench.store.read(key)
        if not isinstance(record.result, Trained) or "init" not in record.identity:
            return ("final",)
        stored, init = record.result.checkpoints, _training(record).init
        starts: tuple[str, ...] = STARTS if init != "random" else STARTS[:1]
        if init == "checkpoint" and 0 not in stored:
            starts = ()
        return (*starts, *(f"checkpoint-{step}" for step in stored), "final")

    def origin(self, key: str, point: str) -> tuple[str, str]:
        """The run and point that these weights are stored under, for starts; else as it is."""
        if point not in STARTS:
            return key, point
        if point not in self.named(key):
            raise HarnessError(
                f"the run {key} has no point {point!r}: {self._why(point)}",
                fix=f"there are: {', '.join(self.named(key))}",
            )
        record = self.bench.store.read(key)
        if _training(record).init == "pretrained" and not self._fresh(record):
            return record.parents[0], "final"
        if isinstance(record.result, Trained) and 0 in record.result.checkpoints:
            return key, "checkpoint-0"
        return key, "init"

    def load(self, key: str, point: str) -> Weights:
        """Weights at a point that `origin` gave."""
        if point.startswith(AFRESH):
            return self._drawn(derive(0, "probe", key, point))
        if point not in STARTS:
            return self.bench.weights(key, point)
        record = self.bench.store.read(key)
        streams = _training(record).streams
        if _training(record).init == "random":
            weights: Weights = self._drawn(streams.init)
        else:
            weights = self._given(record)
        if not self._fresh(record):
            return weights
        return with_head(self._network, weights, self._drawn(streams.head))

    def _given(self, record: CellRecord) -> Weights:
        if not record.start:
            return self.bench.weights(record.parents[0])
        brought = brought_weights(self.work.model, record.start, self.bench)
        return {name: tensor.to(self.bench.device) for name, tensor in brought.items()}

    @property
    def _network(self) -> Network:
        return self.bench.blank(self.work.model, self.work.train)

    def _drawn(self, derived: int) -> dict[str, Tensor]:
        network = self.bench.network_from(self.work.model, self.work.train, derived)
        return {n: t.to(self.bench.device) for n, t in network.module.state_dict().items()}

    def _fresh(self, record: CellRecord) -> bool:
        """Whether the run began with a head of its own."""
        method, settings = self.bench.offer(_training(record).use)
        if not isinstance(method, Method):
            raise TypeError(f"{record.key} was trained by a {method.noun}")
        recipe = method.recipe(settings, self.bench.outline(self.work.train))
        if recipe.head != "auto":
            return recipe.head == "fresh"
        if _training(record).init == "random":
            return False
        return wants_fresh_head(self._network, self._given(record))

    def _why(self, point: str) -> str:
        if point == "pretrained":
            return "it did not start from pretrained weights that are stored"
        return "it started from a file of weights, and did not keep its step 0"


def _training(record: CellRecord) -> _Training:
    return _Training.model_validate(record.identity)
