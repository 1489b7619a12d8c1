"""The probe: all that a metric is given, standing on a scene."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, TypeVar

import torch
from torch import Generator, Tensor

from harness.api.attention import AttentionLogits
from harness.api.contexts import Evaluation, Krylov, Subject, Weights
from harness.api.errors import HarnessError
from harness.api.looks import Look
from harness.api.probes import ProbeScore
from harness.api.symmetries import Symmetry
from harness.api.trajectories import Trace, TrainingFacts
from harness.compute.streams import stream
from harness.measure import batchnorm, judging, looks, parameters, trajectory
from harness.measure.access import AccessControl
from harness.measure.attention import attention_logits
from harness.measure.curvature import Curvature
from harness.measure.data import Sample
from harness.measure.evaluation import Each, each_example, each_logits, response
from harness.measure.features import features
from harness.measure.fisher import Fisher, Kind
from harness.measure.gradients import ExampleGradients
from harness.measure.ledger import Ledger
from harness.measure.scene import Scene
from harness.measure.shared import Shared, tensors_size
from harness.measure.spaces import Matrix, space_of
from harness.measure.symmetries import declared
from harness.measure.view import View

T = TypeVar("T")
Passes = Callable[[Scene, Sequence[Weights], Sample, int, Ledger], list[T]]


class SceneProbe:
    """Implements `harness.api.contexts.Probe`; see there for what its methods promise."""

    def __init__(
        self,
        subject: Subject,
        splits: Sequence[str],
        access: AccessControl,
        shared: Shared,
        scores: Mapping[str, ProbeScore] = MappingProxyType({}),
    ) -> None:
        self.view = View(subject, access, shared, splits)
        self.scores = scores
        self._splits = tuple(splits)

    @property
    def ledger(self) -> Ledger:
        """What the metric has cost so far."""
        return self.view.ledger

    @property
    def subject(self) -> Subject:
        """Which runs are measured."""
        return self.view.subject

    @property
    def splits(self) -> Sequence[str]:
        """Evaluation splits, in-domain first."""
        return self._splits

    @property
    def batch_norm(self) -> bool:
        """Whether the network keeps batch-norm statistics."""
        return bool(batchnorm.norms(self.view.scene.network.module))

    def kind(self, split: str) -> Literal["train", "id", "ood"]:
        """What kind of split a name stands for."""
        return self.view.kind(split)

    def examples(self, split: str) -> int:
        """How many examples a split has."""
        self.view.enter(split, labels=False)
        return len(self.view.scene.examples(split).targets)

    def points(self, run: int = 0) -> tuple[str, ...]:
        """Names of the points that a run has."""
        return self.view.scene.named(self._key(run))

    def weights(self, run: int = 0, point: str = "final") -> Weights:
        """Weights of one of the subject's runs at a named point."""
        return self.view.point(self._key(run), point, f"run {run} at {point!r}")

    def line(self, start: Weights, end: Weights, alphas: Sequence[float]) -> list[Weights]:
        """Points (1 - alpha) start + alpha end."""
        return self.view.line(start, end, alphas)

    def recalibrated(self, points: Sequence[Weights]) -> list[Weights]:
        """The points with batch-norm statistics taken anew from the training split."""
        return self.view.recalibrated(points)

    def evaluate(
        self,
        points: Sequence[Weights],
        split: str,
        *,
        each: bool = False,
        examples: int | None = None,
    ) -> Evaluation:
        """Losses and errors at several points on the same examples."""
        sample = self.view.sample(split, _first(points), examples)
        return judging.evaluation(self._evaluated(points, sample), each=each)

    def logits(
        self, points: Sequence[Weights], split: str, *, examples: int | None = None
    ) -> Tensor:
        """Logits [k, n, c] at several points."""
        sample = self.view.sample(split, _first(points), examples, labels=False)
        return torch.stack(self._logits(points, sample))

    def targets(self, split: str, *, examples: int | None = None) -> Tensor:
        """Targets [n]."""
        return judging.targets(self.view, split, examples)

    def merged(self, split: str) -> Sequence[Sequence[int]]:
        """For each class of a split of merged classes, the places of the network's."""
        return self.view.scene.merged.get(split, ())

    def judged(self, logits: Tensor, split: str, *, examples: int | None = None) -> Evaluation:
        """Losses and errors of logits [k, n, c]."""
        return judging.judged(self.view, logits, split, examples)

    def scored(
        self, logits: Tensor, split: str, *, examples: int | None = None
    ) -> dict[str, list[float]]:
        """The scores of logits [k, n, c], by label."""
        return judging.scored(self.view, self.scores, logits, split, examples)

    def parameters(self, weights: Weights) -> Tensor:
        """The parameters as one vector [P]."""
        return parameters.flat(self.view.scene, weights)

    def at(self, vector: Tensor, like: Weights) -> Weights:
        """Weights from a parameter vector [P], with the buffers of `like`."""
        return parameters.at(self.view.scene, vector, like)

    def response(self, weights: Weights) -> Tensor | None:
        """Outputs [c] for one input of ones."""
        sample = self.view.sample("train", weights, 1, labels=False)
        return response(self.view.scene, weights, sample, self.ledger)

    def names(self) -> tuple[str, ...]:
        """Parameter names, in the order of `parameters`."""
        return tuple(parameters.parameter_names(self.view.scene))

    def modules(self) -> tuple[str, ...]:
        """Names of the modules that hold parameters of their own."""
        return parameters.modules(self.view.scene)

    def symmetries(self) -> tuple[Symmetry, ...]:
        """Orders of units that are free, as the model declares them."""
        return declared(self.view.scene)

    def group(self, which: str) -> Tensor:
        """Which parameters belong to a group: booleans [P]."""
        return parameters.group(self.view.scene, which)

    def losses(self, points: Sequence[Weights], split: str, look: Look) -> Tensor:
        """Mean losses [k] as the look says."""
        if look.batch_statistics:
            raise HarnessError("losses take no batch_statistics: recalibrate the points")
        scene, sample, bytes_each = self._look(_first(points), split, look)
        found = each_example(scene, points, sample, bytes_each, self.ledger)
        return torch.stack([losses.mean() for losses, _ in found])

    def slope(self, weights: Weights, split: str, look: Look) -> tuple[float, Tensor]:
        """Mean loss and gradient [P] as the look says."""
        scene, sample, bytes_each = self._look(weights, split, look)
        with looks.statistics_of(scene, weights, look) as ready:
            return looks.slope(scene, ready, sample, bytes_each, self.ledger)

    def gradient(self, weights: Weights, split: str, *, examples: int | None = None) -> Tensor:
        """Gradient [P] of the mean loss."""
        return self._curvature(weights, split, examples).gradient(self.ledger)

    def hessian_product(
        self, weights: Weights, split: str, *, examples: int | None = None
    ) -> Callable[[Tensor], Tensor]:
        """The map v -> Hv on [P] or [k, P]."""
        here = self._curvature(weights, split, examples)
        return lambda vector: here.product(vector, self.ledger)

    def features(
        self, weights: Weights, split: str, *, examples: int | None = None
    ) -> dict[str, Tensor]:
        """Features [n, d] by module name."""
        return features(*self._here(weights, split, examples, labels=False), self.ledger)

    def example_gradients(
        self, weights: Weights, split: str, *, examples: int | None = None
    ) -> Iterator[Tensor]:
        """Gradients [b, P] of the examples' own losses, in order."""
        return ExampleGradients(*self._here(weights, split, examples)).rows(self.ledger)

    def example_gradient_norms(
        self,
        weights: Weights,
        split: str,
        *,
        examples: int | None = None,
        targets: Tensor | None = None,
    ) -> Tensor:
        """Their squared norms [n]."""
        scene, _, sample, bytes_each = self._here(weights, split, examples, labels=targets is None)
        if targets is not None:
            sample = replace(sample, given=targets.to(scene.device))
        return ExampleGradients(scene, weights, sample, bytes_each).norms(self.ledger)

    def fisher_product(
        self, weights: Weights, split: str, *, kind: Kind, examples: int | None = None
    ) -> Callable[[Tensor], Tensor]:
        """The map v -> Fv on [P] or [k, P]."""
        fisher = Fisher(*self._here(weights, split, examples, labels=kind != "true"), kind)
        return lambda vector: fisher.product(vector, self.ledger)

    def krylov(
        self,
        weights: Weights,
        split: str,
        *,
        examples: int | None = None,
        matrix: Matrix = "hessian",
    ) -> Krylov:
        """The Krylov space of the Hessian or another matrix at a point, shared by all who ask."""
        sample = self.view.sample(split, weights, examples, labels=matrix != "true")
        return space_of(self.view, weights, sample, matrix)

    def attention_logits(
        self, weights: Weights, split: str, *, examples: int | None = None
    ) -> dict[str, AttentionLogits]:
        """Logits of the blocks that the network names as attention."""
        return attention_logits(*self._here(weights, split, examples, labels=False), self.ledger)

    def training(self, run: int = 0) -> TrainingFacts:
        """What the recipe of a run says."""
        return trajectory.facts(self.view, self._key(run))

    def replay(self, run: int = 0) -> Trace:
        """What happened at each step of a run."""
        return trajectory.replay(self.view, self._key(run))

    def generator(self, name: str = "") -> Generator:
        """The metric's own stream for this subject."""
        metric = self.view.access.metric
        return stream(0, "\x1f".join(["probe", metric, name, *self.subject.keys]))

    def _key(self, run: int) -> str:
        if not 0 <= run < len(self.subject.keys):
            raise HarnessError(f"no run {run} in a {self.subject.of}")
        return self.subject.keys[run]

    def _evaluated(self, points: Sequence[Weights], sample: Sample) -> list[Each]:
        run = self._over(each_example, points, sample)
        return self.view.once(points, (sample.name, sample.dtype), run)

    def _logits(self, points: Sequence[Weights], sample: Sample) -> list[Tensor]:
        run = self._over(each_logits, points, sample)
        return self.view.once(points, (sample.name, sample.dtype, "logits"), run)

    def _over(
        self, passes: Passes[T], points: Sequence[Weights], sample: Sample
    ) -> Callable[[Sequence[Weights]], list[T]]:
        bytes_each = self.view.bytes_each(points[0], sample)
        suited = self.view.suited(points[0], sample)
        return lambda some: passes(self.view.scene, some, suited, bytes_each, self.ledger)

    def _here(
        self, weights: Weights, split: str, examples: int | None, *, labels: bool = True
    ) -> tuple[Scene, Weights, Sample, int]:
        sample = self.view.sample(split, weights, examples, labels=labels)
        return self.view.scene, weights, sample, self.view.bytes_each(weights, sample)

    def _look(self, weights: Weights, split: str, look: Look) -> tuple[Scene, Sample, int]:
        """Loss, examples and bytes of each that a look is at."""
        view = self.view
        whole = view.sample(split, weights, look.examples)
        batch = view.shared.samples.get(
            ("batch", whole.name, look.batch, whole.dtype),
            lambda: looks.batch_of(whole, look),
            lambda sample: 0 if look.batch is None else tensors_size(sample.ready or {}),
        )
        each = 1 if look.batch_statistics else view.bytes_each(weights, whole)  # 1: all at once
        return looks.objective_of(view.scene, look), batch, each

    def _curvature(self, weights: Weights, split: str, examples: int | None) -> Curvature:
        return Curvature(*self._here(weights, split, examples))


def _first(points: Sequence[Weights]) -> Weights:
    if not points:
        raise HarnessError("nothing to evaluate: no points were given")
    return points[0]
