"""What one metric sees of a scene: data within its access, points by name, and its bill."""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import TypeVar

import torch
from torch import Tensor

from harness.api.contexts import Subject, Weights
from harness.api.errors import HarnessError
from harness.measure.access import AccessControl, SplitKind
from harness.measure.data import Sample, bytes_per_example, take
from harness.measure.guard import Guard
from harness.measure.ledger import Ledger
from harness.measure.shared import Shared, tensors_size

T = TypeVar("T")
Named = tuple[str, ...]  # a point that others may ask for too: its run's key, its name, ...


class View:
    """Every look that a metric takes at data or at trained points comes through here."""

    def __init__(self, subject: Subject, access: AccessControl, shared: Shared) -> None:
        self.scene = shared.scene
        self.subject = subject
        self.access = access
        self.shared = shared
        self.ledger = Ledger()
        self.guard: Guard | None = None
        self.dtype = ""
        self._names: dict[int, tuple[Named, Weights]] = {}

    def kind(self, split: str) -> SplitKind:
        """What kind of split a name stands for."""
        if split not in self.scene.kinds:
            known = ", ".join(sorted(self.scene.kinds))
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
        """Targets of the examples, as they are stored, on the CPU."""
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

    def once(
        self,
        points: Sequence[Weights],
        what: tuple[object, ...],
        run: Callable[[Sequence[Weights]], list[T]],
    ) -> list[T]:
        """Named points alone and once for all, so that a pack changes no number; others anew."""
        named = {
            id(point): self.shared.evaluations.get(
                (*self.name(point), *what),
                lambda point=point: run([point])[0],  # type: ignore[misc]
                _bytes,
            )
            for point in points
            if self.name(point)
        }
        others = [point for point in points if id(point) not in named]
        anew = iter(run(others))
        return [named[id(point)] if id(point) in named else next(anew) for point in points]

    def watch(self, said: str, weights: Weights) -> None:
        """Have the guard put these weights back, should the metric change them."""
        if self.guard is not None:
            self.guard.watch(said, weights)


def _bytes(found: object) -> int:
    parts = found if isinstance(found, tuple) else (found,)
    return sum(part.nbytes for part in parts if isinstance(part, Tensor))
