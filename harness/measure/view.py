"""What one metric sees of a scene: data within its access, points by name, and its bill."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TypeVar

import torch
from torch import Tensor

from harness.api.contexts import Subject, Weights
from harness.api.errors import HarnessError
from harness.measure import batchnorm
from harness.measure.access import AccessControl, SplitKind
from harness.measure.data import Sample, bytes_per_example, take
from harness.measure.guard import Guard
from harness.measure.layout import channels_last
from harness.measure.ledger import Ledger
from harness.measure.lending import leaves_alone
from harness.measure.line import Overlaid, line
from harness.measure.shared import Shared, tensors_size

T = TypeVar("T")
Named = tuple[str, ...]  # a point that others may ask for too: its run's key, its name, ...
Between = tuple[Hashable, ...]  # one that is made of such points in a known way


class View:
    """Every look that a metric takes at data or at trained points comes through here."""

    def __init__(
        self, subject: Subject, access: AccessControl, shared: Shared, splits: Sequence[str]
    ) -> None:
        self.scene = shared.scene
        self._splits = {"train", *splits}
        self.subject = subject
        self.access = access
        self.shared = shared
        self.ledger = Ledger()
        self.guard: Guard | None = None
        self.dtype = ""
        self._names: dict[int, tuple[Named, Weights]] = {}
        self._between: dict[int, tuple[Between, Weights]] = {}

    def kind(self, split: str) -> SplitKind:
        """What kind of split a name stands for."""
        if split not in self._splits or split not in self.scene.kinds:
            known = ", ".join(sorted(self._splits & self.scene.kinds.keys()))
            raise HarnessError(f"no split {split!r} to measure on", fix=f"there are: {known}")
        return self.scene.kinds[split]

    def enter(self, split: str, *, labels: bool) -> None:
        """Ask to look at a split, and note it."""
        self.access.enter(split, self.kind(split), labels=labels)

    def sample(
        self, split: str, weights: Weights, examples: int | None, *, labels: bool = True
    ) -> Sample:
        """The examples, as floats of the weights' type."""
        self.enter(split, labels=labels)
        floats = (tensor.dtype for tensor in weights.values() if tensor.is_floating_point())
        dtype = next(floats, torch.get_default_dtype())
        self.dtype = str(dtype).removeprefix("torch.")
        return self.shared.samples.get(
            (split, examples, dtype),
            lambda: take(self.scene, split, examples, dtype),
            lambda sample: tensors_size(sample.ready or {}),
        )

    def targets(self, split: str, examples: int | None) -> Tensor:
        """Targets of the examples, as the scene's losses take them, on the CPU."""
        self.enter(split, labels=True)
        sample = take(self.scene, split, examples, torch.get_default_dtype())
        where = slice(None) if sample.indices is None else sample.indices
        return sample.source.targets[where].cpu().clone()

    def bytes_each(self, weights: Weights, sample: Sample) -> int:
        """What one example takes while derivatives are computed."""
        return self.shared.samples.get(
            ("bytes", sample.name, sample.dtype),
            lambda: bytes_per_example(self.scene, dict(weights), sample),
            lambda _: 0,
        )

    def suited(self, weights: Weights, sample: Sample) -> Sample:
        """The sample as suits the network: lent if that leaves it as it is, and laid out."""
        alone, names = self.shared.samples.get(
            ("suited", sample.name, sample.dtype),
            lambda: (
                leaves_alone(self.scene, weights, sample),
                channels_last(self.scene, weights, sample),
            ),
            lambda _: 0,
        )
        return replace(sample, lent=alone, channels_last=names)

    def point(self, key: str, point: str, said: str) -> Weights:
        """Weights of a run at a named point; `said` is what a message calls it."""
        key, point = self.scene.origin(key, point)

        def load() -> Weights:
            return MappingProxyType(self.scene.load(key, point))

        weights = self.shared.points.get((key, point), load, tensors_size)
        self.watch(said, weights)
        return self.call((key, point), weights)

    def call(self, name: Named, weights: Weights) -> Weights:
        """Note that these weights go by that name."""
        self._names[id(weights)] = (name, weights)  # keeping the weights keeps their id theirs
        return weights

    def name(self, weights: Weights) -> Named:
        """The name of these weights; empty where nobody else can ask for them."""
        return self._names.get(id(weights), ((), weights))[0]

    def line(self, start: Weights, end: Weights, alphas: Sequence[float]) -> list[Weights]:
        """Points (1 - alpha) start + alpha end; those between named points are shared."""
        points = line(start, end, alphas)
        ends = self.name(start), self.name(end)
        if all(ends):
            for point, alpha in zip(points, alphas, strict=True):
                if not self.name(point):
                    self._between[id(point)] = (("line", *ends, alpha), point)
        return points

    def recalibrated(self, points: Sequence[Weights]) -> list[Weights]:
        """The points with batch-norm statistics taken anew, once for all who ask."""
        if not batchnorm.norms(self.scene.network.module):
            return list(points)
        return [self._recalibrated(point) for point in points]

    def _recalibrated(self, weights: Weights) -> Weights:
        sample = self.sample("train", weights, None)

        def make() -> Weights:
            return batchnorm.statistics(self.scene, weights, sample, self.ledger)

        name = self.name(weights) or self._passed(weights)
        if not name:
            return Overlaid(weights, make())
        whole = (*name, "recalibrated")
        anew = Overlaid(weights, self.shared.lines.get(whole, make, tensors_size))
        self._between[id(anew)] = (whole, anew)
        return anew

    def _passed(self, weights: Weights) -> Between:
        """What tells these weights from all others, where they are made of named points."""
        return self._between.get(id(weights), ((), weights))[0]

    def once(
        self,
        points: Sequence[Weights],
        what: tuple[object, ...],
        run: Callable[[Sequence[Weights]], list[T]],
    ) -> list[T]:
        """Each point's own, computed once for all; points that nobody else can ask for, anew.

        Named points run alone, so that a pack changes no number; so do those made of them, unless
        the scene is stacked: then those that are asked for together run, and are kept, together.
        """
        evaluations, lines = self.shared.evaluations, self.shared.lines
        found: dict[int, T] = {}
        between = [point for point in points if self._passed(point)]
        if between and self.scene.stacked:
            names = tuple(self._passed(point) for point in between)
            some = lines.get((names, *what), lambda: run(between), _bytes)
            found.update(zip(map(id, between), some, strict=True))
        for point in points:
            alone = partial(_first, run, point)
            if self.name(point):
                found[id(point)] = evaluations.get((*self.name(point), *what), alone, _bytes)
            elif self._passed(point) and not self.scene.stacked:
                found[id(point)] = lines.get((*self._passed(point), *what), alone, _bytes)
        others = [point for point in points if id(point) not in found]
        anew = iter(run(others)) if others else iter(())
        return [found[id(point)] if id(point) in found else next(anew) for point in points]

    def watch(self, said: str, weights: Weights) -> None:
        """Have the guard put these weights back, should the metric change them."""
        if self.guard is not None:
            self.guard.watch(said, weights)


def _first(run: Callable[[Sequence[Weights]], list[T]], point: Weights) -> T:
    return run([point])[0]


def _bytes(found: object) -> int:
    """Bytes of a tensor, or of all in a (nested) sequence."""
    if isinstance(found, Tensor):
        return found.nbytes
    return sum(_bytes(part) for part in found) if isinstance(found, tuple | list) else 0
