"""What a probe stands on: one network, its loss, its data and its trained points.

A scene is made from a workbench (`pack.py`) or, in a test, from a few tensors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from harness.api.contexts import Weights
from harness.api.networks import Network
from harness.api.trajectories import Trace, TrainingFacts
from harness.compute.calling import called, places
from harness.compute.losses import (
    absolute_error,
    cross_entropy,
    errors,
    merged_cross_entropy,
    merged_errors,
    squared_error,
)
from harness.measure.access import SplitKind


class Examples(Protocol):
    """One split on a device."""

    @property
    def targets(self) -> Tensor:
        """Targets [n]."""

    @property
    def lengths(self) -> Tensor | None:
        """Tokens of each example, int64 [n] on the CPU; None where all are as long."""

    def model_inputs(self, where: Tensor | slice) -> Mapping[str, Tensor]:
        """The module's inputs for some examples (a slice, or indices)."""


class Trainings(Protocol):
    """Looks into how runs were trained; training lies above this room, and hands it down."""

    def facts(self, key: str) -> TrainingFacts:
        """What the run's recipe says."""

    def replay(self, key: str) -> Trace:
        """The run trained again, recorded step by step."""


@dataclass(frozen=True)
class TensorExamples:
    """Examples that are ready as float tensors."""

    inputs: Mapping[str, Tensor]
    targets: Tensor
    lengths: Tensor | None = None

    def model_inputs(self, where: Tensor | slice) -> Mapping[str, Tensor]:
        """The module's inputs for some examples."""
        return {name: tensor[where] for name, tensor in self.inputs.items()}


@dataclass(frozen=True)
class Objective:
    """Loss and error per example: (logits [n, ...], targets [n]) -> [n].

    The error is 0 or 1 in classification, the absolute error in regression.
    """

    losses: Callable[[Tensor, Tensor], Tensor]
    errors: Callable[[Tensor, Tensor], Tensor]


CLASSIFICATION = Objective(losses=cross_entropy, errors=errors)
MERGED = Objective(losses=merged_cross_entropy, errors=merged_errors)
"""Where the targets of some splits are sets of classes; of the others it gives the same."""

REGRESSION = Objective(losses=squared_error, errors=absolute_error)


@dataclass(frozen=True)
class Budget:
    """Bytes that may be in use at any one time.

    `batch`: activations of the examples that run at once, and weights that are stacked; on a CPU
    this is kept near the caches. `graph`: a graph that is kept for Hessian products. `basis`: the
    vectors of a Krylov space. `cache`: inputs and weights kept over a pack.
    """

    batch: int = 64 * 2**20
    graph: int = 2**30
    basis: int = 2 * 2**30
    cache: int = 512 * 2**20

    @staticmethod
    def of(device: torch.device) -> "Budget":
        """What suits a kind of device."""
        if device.type == "cpu":
            return Budget()
        return Budget(batch=2 * 2**30, graph=8 * 2**30, basis=16 * 2**30, cache=4 * 2**30)


def _itself(key: str, point: str) -> tuple[str, str]:
    return key, point


def _only_final(key: str) -> tuple[str, ...]:
    return ("final",)


@dataclass(frozen=True)
class Scene:
    """One network, its loss, its data and its points.

    `examples` gives a split by name (called when a metric first looks at it), `kinds` says what
    each name stands for ("train" among them), `points` gives the weights of a run's key at a named
    point. `budget` bounds the bytes of activations, and of stacked weights, at any one time.
    `named` gives the names of a run's points; `origin` says of which run's which point the weights
    at a point are the very same (a pretrained run's, for all that start from it). `trainings`
    looks into how the runs came about. `merged` has the splits of merged classes: for each of their
    classes the places of the network's that stand for it; their targets are sets of these.
    """

    network: Network
    examples: Callable[[str], Examples]
    kinds: Mapping[str, SplitKind]
    points: Callable[[str, str], Mapping[str, Tensor]]
    objective: Objective = CLASSIFICATION
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    budget: Budget = field(default_factory=Budget)
    stacked: bool = False
    origin: Callable[[str, str], tuple[str, str]] = _itself
    named: Callable[[str], tuple[str, ...]] = _only_final
    trainings: Trainings | None = None
    merged: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)

    @cached_property
    def places(self) -> Mapping[str, str]:
        """Where the network's tensors stand; looked up once, which a small network notices."""
        return places(self.network.module)

    def load(self, key: str, point: str) -> dict[str, Tensor]:
        """Weights of a run; a tensor that goes by several names (tied weights) under its first."""
        module = self.network.module
        first = {name for name, _ in (*module.named_parameters(), *module.named_buffers())}
        return {name: t for name, t in self.points(key, point).items() if name in first}

    def outputs(
        self, weights: Weights, inputs: Mapping[str, Tensor], *, lent: bool = False
    ) -> Tensor:
        """The network's logits at some weights; the module's own weights play no part.

        It works on copies of the inputs, unless they are `lent` to it.
        """
        module, where = self.network.module, self.places
        return self.network.logits(called(module, weights, inputs, lent=lent, where=where))
