"""The probe: all that a metric is given, standing on a scene."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Generator, Tensor

from harness.api.contexts import Eigenvalues, Evaluation, Krylov, Subject, Weights
from harness.api.errors import HarnessError
from harness.compute.streams import stream
from harness.measure import batchnorm, curvature
from harness.measure.access import AccessControl
from harness.measure.data import Sample, bytes_per_example, take
from harness.measure.evaluation import Each, each_example
from harness.measure.guard import Guard
from harness.measure.krylov import KrylovSpace
from harness.measure.ledger import Ledger
from harness.measure.line import line
from harness.measure.shared import Shared, tensors_size

Named = tuple[str, ...]  # a point that others may ask for too: its run's key, its name, ...


class SceneProbe:
    """Implements `harness.api.contexts.Probe`; see there for what its methods promise."""

    def __init__(
        self,
        subject: Subject,
        splits: Sequence[str],
        access: AccessControl,
        shared: Shared,
    ) -> None:
        self.guard: Guard | None = None
        self.dtype = ""
        self._scene = shared.scene
        self._subject = subject
        self._splits = tuple(splits)
        self._access = access
        self._shared = shared
        self._names: dict[int, tuple[Named, Weights]] = {}
        self.ledger = Ledger()

    @property
    def subject(self) -> Subject:
        """Which runs are measured."""
        return self._subject

    @property
    def splits(self) -> Sequence[str]:
        """Evaluation splits, in-domain first."""
        return self._splits

    @property
    def batch_norm(self) -> bool:
        """Whether the network keeps batch-norm statistics."""
        return bool(batchnorm.norms(self._scene.network.module))

    def kind(self, split: str) -> Literal["train", "id", "ood"]:
        """What kind of split a name stands for."""
        if split not in self._scene.kinds:
            known = ", ".join(sorted(self._scene.kinds))
            raise HarnessError(f"no split {split!r} to measure on", fix=f"there are: {known}")
        return self._scene.kinds[split]

    def examples(self, split: str) -> int:
        """How many examples a split has."""
        self._access.enter(split, self.kind(split), labels=False)
        return len(self._scene.examples(split).targets)

    def weights(self, run: int = 0, point: str = "final") -> Weights:
        """Weights of one of the subject's runs at a named point."""
        if not 0 <= run < len(self._subject.keys):
            raise HarnessError(f"no run {run} in a {self._subject.of}")
        key = self._subject.keys[run]

        def load() -> Weights:
            return MappingProxyType(self._scene.load(key, point))

        weights = self._shared.points.get((key, point), load, tensors_size)
        self._watch(f"run {run} at {point!r}", weights)
        return self._named((key, point), weights)

    def line(self, start: Weights, end: Weights, alphas: Sequence[float]) -> list[Weights]:
        """Points (1 - alpha) start + alpha end."""
        return line(start, end, alphas)

    def recalibrated(self, points: Sequence[Weights]) -> list[Weights]:
        """The points with batch-norm statistics taken anew from the training split."""
        if not self.batch_norm:
            return list(points)
        return [self._recalibrated(point) for point in points]

    def evaluate(
        self,
        points: Sequence[Weights],
        split: str,
        *,
        each: bool = False,
        examples: int | None = None,
    ) -> Evaluation:
        """Losses and errors at several points on the same examples."""
        if not points:
            raise HarnessError("nothing to evaluate: no points were given")
        sample = self._sample(split, points[0], examples)
        pairs = self._evaluated(points, sample)
        losses, errors = (torch.stack(part) for part in zip(*pairs, strict=True))
        return Evaluation(
            loss=losses.mean(1),
            error=errors.mean(1),
            examples=sample.size,
            example_losses=losses if each else None,
            example_errors=errors if each else None,
        )

    def parameters(self, weights: Weights) -> Tensor:
        """The parameters as one vector [P]."""
        return curvature.flat(self._scene, weights)

    def gradient(self, weights: Weights, split: str, *, examples: int | None = None) -> Tensor:
        """Gradient [P] of the mean loss."""
        return self._curvature(weights, split, examples).gradient(self.ledger)

    def hessian_product(
        self, weights: Weights, split: str, *, examples: int | None = None
    ) -> Callable[[Tensor], Tensor]:
        """The map v -> Hv on [P] or [k, P]."""
        here = self._curvature(weights, split, examples)
        return lambda vector: here.product(vector, self.ledger)

    def krylov(self, weights: Weights, split: str, *, examples: int | None = None) -> Krylov:
        """The Krylov space of the Hessian at a point, shared by all who ask."""
        sample = self._sample(split, weights, examples)
        name = self._names.get(id(weights), ((), weights))[0]

        def make() -> SharedSpace:
            here = self._curvature(weights, split, examples)
            payer = Payer(self.ledger)
            space = KrylovSpace(
                lambda vector: here.product(vector, payer.ledger),
                here.size,
                stream(0, "\x1f".join(["probe:krylov", sample.name, *name])),
                dtype=sample.dtype,
                device=self._scene.device,
            )
            return SharedSpace(space, payer, here.bytes)

        kept = self._shared.spaces
        space = kept.get((*name, sample.name), make, lambda made: made.bytes) if name else make()
        return PaidSpace(space, self.ledger)

    def generator(self, name: str = "") -> Generator:
        """The metric's own stream for this subject."""
        return stream(0, "\x1f".join(["probe", self._access.metric, name, *self._subject.keys]))

    def _named(self, name: Named, weights: Weights) -> Weights:
        self._names[id(weights)] = (name, weights)  # keeping the weights keeps their id theirs
        return weights

    def _watch(self, name: str, weights: Weights) -> None:
        if self.guard is not None:
            self.guard.watch(name, weights)

    def _sample(self, split: str, weights: Weights, examples: int | None) -> Sample:
        """Every look at data comes through here."""
        self._access.enter(split, self.kind(split), labels=True)
        floats = (tensor.dtype for tensor in weights.values() if tensor.is_floating_point())
        dtype = next(floats, torch.get_default_dtype())
        self.dtype = str(dtype).removeprefix("torch.")
        return self._shared.samples.get(
            (split, examples, dtype),
            lambda: take(self._scene, split, examples, dtype),
            lambda sample: tensors_size(sample.ready or {}),
        )

    def _bytes_each(self, weights: Weights, sample: Sample) -> int:
        return self._shared.samples.get(
            ("bytes", sample.name, sample.dtype),
            lambda: bytes_per_example(self._scene, dict(weights), sample),
            lambda _: 0,
        )

    def _evaluated(self, points: Sequence[Weights], sample: Sample) -> list[Each]:
        """Named points alone and once for all, so that a pack changes no number; others anew."""
        bytes_each = self._bytes_each(points[0], sample)

        def alone(point: Weights) -> Each:
            return each_example(self._scene, [point], sample, bytes_each, self.ledger)[0]

        named = {
            id(point): self._shared.evaluations.get(
                (*self._names[id(point)][0], sample.name, sample.dtype),
                lambda point=point: alone(point),  # type: ignore[misc]
                lambda pair: pair[0].nbytes + pair[1].nbytes,
            )
            for point in points
            if id(point) in self._names
        }
        others = [point for point in points if id(point) not in named]
        anew = iter(each_example(self._scene, others, sample, bytes_each, self.ledger))
        return [named[id(point)] if id(point) in named else next(anew) for point in points]

    def _recalibrated(self, weights: Weights) -> Weights:
        def make() -> Weights:
            anew = batchnorm.recalibrated(self._scene, [weights], sample, self.ledger)
            return MappingProxyType(dict(anew[0]))

        sample = self._sample("train", weights, None)
        named = self._names.get(id(weights))
        if named is None:
            return make()
        name = (*named[0], "recalibrated")
        anew = self._shared.points.get(name, make, tensors_size)
        self._watch(" ".join(name), anew)
        return self._named(name, anew)

    def _curvature(self, weights: Weights, split: str, examples: int | None) -> curvature.Curvature:
        sample = self._sample(split, weights, examples)
        bytes_each = self._bytes_each(weights, sample)
        return curvature.Curvature(self._scene, weights, sample, bytes_each)


@dataclass
class Payer:
    """Whose ledger the next product goes into."""

    ledger: Ledger


@dataclass(frozen=True)
class SharedSpace:
    """A Krylov space, and the bytes of the graph that its products come from."""

    space: KrylovSpace
    payer: Payer
    graph: int

    @property
    def bytes(self) -> int:
        """Memory that it holds now, or will with the next product."""
        return self.graph + self.space.bytes


@dataclass(frozen=True)
class PaidSpace:
    """A shared space in the hands of one metric, which pays for what it adds."""

    shared: SharedSpace
    ledger: Ledger

    @property
    def products(self) -> int:
        """Products that the space has cost so far."""
        return self.shared.space.products

    def top(
        self, count: int, *, by: Literal["magnitude", "value"], tolerance: float, products: int
    ) -> Eigenvalues:
        """The `count` largest eigenvalues."""
        self.shared.payer.ledger = self.ledger
        return self.shared.space.top(count, by=by, tolerance=tolerance, products=products)
