"""Small worlds with a known answer: a metric is measured on them as it is on real runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.api.attention import Attention
from harness.api.cells import Branch, Seeds
from harness.api.contexts import Subject
from harness.api.networks import Network
from harness.api.probes import ProbeScore
from harness.api.settings import Settings
from harness.api.symmetries import Symmetry
from harness.api.trajectories import Trace, TrainingFacts
from harness.measure.access import AccessControl, SplitKind
from harness.measure.probe import SceneProbe
from harness.measure.reading import Order, read
from harness.measure.scene import CLASSIFICATION, Budget, Objective, Scene, TensorExamples
from harness.measure.shared import Shared

if TYPE_CHECKING:
    from harness.api.offers import Metric
    from harness.api.readings import Access, Reading

Data = tuple[Tensor, Tensor]  # inputs [n, ...] and targets [n]


def _no_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return torch.zeros(targets.shape, dtype=outputs.dtype)


def _as_it_is(outputs: Tensor, targets: Tensor) -> Tensor:
    return outputs.expand(targets.shape)


LOSS_ITSELF = Objective(losses=_as_it_is, errors=_no_error)
"""For a module whose output is its loss: a scalar, or one number per example."""


@dataclass(frozen=True)
class Known:
    """Trainings that a test makes up."""

    said: Mapping[str, TrainingFacts] = field(default_factory=dict)
    happened: Mapping[str, Trace] = field(default_factory=dict)

    def facts(self, key: str) -> TrainingFacts:
        """What the run's recipe says."""
        return self.said[key]

    def replay(self, key: str) -> Trace:
        """What is said to have happened."""
        return self.happened[key]


@dataclass(frozen=True)
class World:
    """A module called as `module(x)`, splits by name ("train" among them), and runs by name.

    A split whose name begins with "ood" is an OOD split. Runs are named by their key ("a") at the
    end and "a/POINT" at other points, in order. `head`, `features`, `symmetries` and `attention`
    are those of a `Network`; `trainings` says how the runs were trained, and `branches` which of
    them are branches of the run that is measured. `varied` are the values of the setting that a
    metric looks across, by run. `scores` are those of the suite.
    """

    module: nn.Module
    splits: Mapping[str, Data]
    runs: Mapping[str, Mapping[str, Tensor]]
    objective: Objective = CLASSIFICATION
    budget: Budget = field(default_factory=Budget)
    stacked: bool = False
    head: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    symmetries: tuple[Symmetry, ...] = ()
    attention: tuple[Attention, ...] = ()
    trainings: Known | None = None
    branches: Mapping[str, Branch] = field(default_factory=dict)
    varied: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, ProbeScore] = field(default_factory=dict)

    def shared(self) -> Shared:
        """The world as a pack sees it; hand it on to share work between readings."""
        kinds: dict[str, SplitKind] = {}
        for name in self.splits:
            kinds[name] = "train" if name == "train" else "ood" if name[:3] == "ood" else "id"
        scene = Scene(
            network=Network(
                module=self.module,
                head=self.head,
                features=self.features,
                symmetries=self.symmetries,
                attention=self.attention,
            ),
            examples=lambda name: TensorExamples({"x": self.splits[name][0]}, self.splits[name][1]),
            kinds=kinds,
            points=lambda key, point: self.runs[key if point == "final" else f"{key}/{point}"],
            objective=self.objective,
            budget=self.budget,
            stacked=self.stacked,
            named=self._named,
            trainings=self.trainings,
        )
        return Shared(scene)

    def probe(
        self, *keys: str, access: Access = "ood-labels", shared: Shared | None = None
    ) -> SceneProbe:
        """A probe on some runs, as a metric with that access would get it."""
        shared = shared or self.shared()
        return SceneProbe(
            self._subject(keys),
            self._evaluated(),
            AccessControl("test", access),
            shared,
            self.scores,
        )

    def read(
        self,
        metric: Metric,
        keys: Sequence[str],
        settings: Settings | None = None,
        shared: Shared | None = None,
    ) -> Reading:
        """A reading of a metric on some runs, on every split but "train"."""
        chosen = settings or metric.settings()
        order = Order(metric, chosen, self._subject(keys), self._evaluated(), scores=self.scores)
        return read(order, shared or self.shared())

    def _named(self, key: str) -> tuple[str, ...]:
        others = [name.removeprefix(f"{key}/") for name in self.runs if name.startswith(f"{key}/")]
        return (*others, "final")

    def _evaluated(self) -> tuple[str, ...]:
        return tuple(name for name in self.splits if name != "train")

    def _subject(self, keys: Sequence[str]) -> Subject:
        kind = {1: "point", 2: "pair"}.get(len(keys), "group")
        seeds = tuple(Seeds(n) for n in range(len(keys)))
        if all(key in self.varied for key in keys):
            varied = tuple(self.varied[key] for key in keys)
            return Subject("group", tuple(keys), seeds[:1] * len(keys), varied=varied)
        if not any(key in self.branches for key in keys):
            return Subject(of=kind, keys=tuple(keys), seeds=seeds)
        branches = tuple(self.branches.get(key) for key in keys)
        return Subject(of="point", keys=tuple(keys), seeds=seeds, branches=branches)
