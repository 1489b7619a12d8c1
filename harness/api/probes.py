"""What a metric is given: the probe, and what it answers with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from harness.api.cells import Branch, Seeds
from harness.api.krylov import Eigenvalues as Eigenvalues
from harness.api.krylov import Krylov as Krylov
from harness.api.looks import Look

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness.api.attention import AttentionLogits
    from harness.api.symmetries import Symmetry
    from harness.api.trajectories import Trace, TrainingFacts

Weights = Mapping[str, "Tensor"]
"""Parameters and buffers of a module by name, as in its `state_dict`."""


@dataclass(frozen=True)
class Evaluation:
    """Mean loss and error rate over n examples (float64), and both per example on request.

    For a stack of weight vectors `loss` and `error` are [k]; the per-example fields are [k, n].
    """

    loss: Tensor
    error: Tensor
    examples: int
    example_losses: Tensor | None = None
    example_errors: Tensor | None = None


@dataclass(frozen=True)
class ProbeScore:
    """A score of the suite: `value(logits [n, c], targets [n])`, and which way is better.

    Where targets are of fewer classes than logits, `value` takes a third argument: for each of them
    the places of the network's classes that stand for it. `Probe.scored` hands it over.
    """

    value: Callable[..., float]  # the third argument is left out where the classes are the same
    higher_is_better: bool


@dataclass(frozen=True)
class Subject:
    """What is being measured: one entry per run, in the order of the cell's parents.

    `branches`, where the metric asks for some, says of every run which branch of the first it is:
    None for the first, the run itself. `varied` holds, where the metric looks `across` a setting
    of the method, its value in every run.
    """

    of: str
    keys: tuple[str, ...]
    seeds: tuple[Seeds, ...]
    pair_kind: str | None = None
    branches: tuple[Branch | None, ...] = ()
    varied: tuple[float, ...] = ()


class Probe(Protocol):
    """The only thing a metric is given. Split names are those of the suite, and "train".

    Whatever a metric does, weights, buffers, training mode, gradients and global random states are
    put back afterwards, and what it costs is counted. A split beyond the metric's access raises
    `HarnessError`.

    `examples` reads a split on so many of its examples: always the same ones, drawn without
    replacement from a fixed stream of the split; None, or more than there are, means all.
    """

    @property
    def subject(self) -> Subject:
        """Which runs are measured."""

    @property
    def splits(self) -> Sequence[str]:
        """Evaluation splits that the suite wants the metric read on, in-domain first."""

    @property
    def scores(self) -> Mapping[str, ProbeScore]:
        """The suite's scores that the metric asked for (`Metric.scores`), by label."""

    def kind(self, split: str) -> Literal["train", "id", "ood"]:
        """What kind of split a name stands for."""

    def examples(self, split: str) -> int:
        """How many examples a split has."""

    @property
    def batch_norm(self) -> bool:
        """Whether the network keeps batch-norm statistics."""

    def points(self, run: int = 0) -> tuple[str, ...]:
        """Names of the points that a run has, from its start to its end.

        "init" is where it started, "pretrained" the same where that was drawn by no seed of its
        own (a parent's weights; a head drawn afresh included), "checkpoint-100" its weights after
        so many steps, "final" its last ones. Not listed, since there is no end of them: "fresh-1",
        "fresh-2", ..., each drawn anew as a random start is.
        """

    def weights(self, run: int = 0, point: str = "final") -> Weights:
        """Weights of one of the subject's runs at a named point (see `points`)."""

    def line(self, start: Weights, end: Weights, alphas: Sequence[float]) -> list[Weights]:
        """Points (1 - alpha) start + alpha end; integer buffers are copied from the nearer end."""

    def evaluate(
        self,
        points: Sequence[Weights],
        split: str,
        *,
        each: bool = False,
        examples: int | None = None,
    ) -> Evaluation:
        """Losses and errors at several points on the same examples, evaluation mode.

        End points that were evaluated before cost nothing. `each` adds per-example values.
        """

    def logits(
        self, points: Sequence[Weights], split: str, *, examples: int | None = None
    ) -> Tensor:
        """Logits [k, n, c] at several points, evaluation mode, in the weights' type, on the CPU.

        Looks at inputs only. Named points that were asked for before cost nothing.
        """

    def targets(self, split: str, *, examples: int | None = None) -> Tensor:
        """Targets [n] of the same examples in the same order, on the CPU; looks at labels.

        Refused on a split of merged classes, whose targets are not of the network's classes:
        `judged` and `scored` hold logits against them there too.
        """

    def merged(self, split: str) -> Sequence[Sequence[int]]:
        """Where a split has fewer classes than the network: for each, the places of the network's.

        Empty where its classes are the network's. Looks at no example.
        """

    def judged(self, logits: Tensor, split: str, *, examples: int | None = None) -> Evaluation:
        """Losses and errors of logits [k, n, c] of the same examples, per example too.

        For logits that no single point gives, such as the mean of several.
        """

    def scored(
        self, logits: Tensor, split: str, *, examples: int | None = None
    ) -> Mapping[str, list[float]]:
        """Those of `scores`, by label, of each of logits [k, n, c] of the same examples."""

    def recalibrated(self, points: Sequence[Weights]) -> list[Weights]:
        """The points with batch-norm statistics taken anew from the training split.

        Gives the points back unchanged where the network has no batch norm.
        """

    def parameters(self, weights: Weights) -> Tensor:
        """The trainable parameters as one vector [P]."""

    def at(self, vector: Tensor, like: Weights) -> Weights:
        """Weights whose parameters are a vector [P] and whose buffers are those of `like`."""

    def response(self, weights: Weights) -> Tensor | None:
        """Outputs [c] for one input of ones; None where an input is no number, such as a token."""

    def names(self) -> tuple[str, ...]:
        """Parameter names in the order of `parameters`; tied ones once."""

    def modules(self) -> tuple[str, ...]:
        """Names of the modules that hold parameters directly ("" for the network itself)."""

    def symmetries(self) -> tuple[Symmetry, ...]:
        """Orders of units that are free, as the model declares them; none where it does not."""

    def group(self, which: str) -> Tensor:
        """Which parameters belong to a group: booleans [P] on the CPU.

        "all", "no-bias-and-norm", "no-head", or a module's name: what it and its parts hold.
        """

    def losses(self, points: Sequence[Weights], split: str, look: Look) -> Tensor:
        """Mean losses [k] (float64) at several points, as the look says."""

    def slope(self, weights: Weights, split: str, look: Look) -> tuple[float, Tensor]:
        """Mean loss and its gradient [P], as the look says, from one pass."""

    def gradient(self, weights: Weights, split: str, *, examples: int | None = None) -> Tensor:
        """Gradient [P] of the mean loss, evaluation mode, weighted exactly by example."""

    def hessian_product(
        self, weights: Weights, split: str, *, examples: int | None = None
    ) -> Callable[[Tensor], Tensor]:
        """The map v -> Hv on [P] (or [k, P]) for the mean loss, evaluation mode."""

    def features(
        self, weights: Weights, split: str, *, examples: int | None = None
    ) -> Mapping[str, Tensor]:
        """Features [n, d] of the modules that the network names, by their names, on the CPU.

        Each example's are flattened. Where it names none: what goes into the head, "penultimate".
        Looks at inputs only.
        """

    def example_gradients(
        self, weights: Weights, split: str, *, examples: int | None = None
    ) -> Iterator[Tensor]:
        """Gradients [b, P] of single examples' losses, in order, as many at a time as fit."""

    def example_gradient_norms(
        self,
        weights: Weights,
        split: str,
        *,
        examples: int | None = None,
        targets: Tensor | None = None,
    ) -> Tensor:
        """Squared norms [n] of these gradients (float64, on the CPU).

        With `targets` [n] those of the losses at these targets; then only inputs are looked at.

        In one pass, without the gradients, for networks of linear, convolutional, embedding and
        layer-norm layers that run once.
        """

    def fisher_product(
        self,
        weights: Weights,
        split: str,
        *,
        kind: Literal["true", "empirical", "ggn"],
        examples: int | None = None,
    ) -> Callable[[Tensor], Tensor]:
        """The map v -> Fv on [P] (or [k, P]) for a mean over examples.

        "true": the Fisher matrix of the predicted classes (inputs only); "empirical": the mean of
        g g' over the examples' gradients; "ggn": the generalised Gauss-Newton matrix of the loss.
        """

    def krylov(
        self,
        weights: Weights,
        split: str,
        *,
        examples: int | None = None,
        matrix: Literal["hessian", "ggn", "true", "empirical", "covariance"] = "hessian",
    ) -> Krylov:
        """A Krylov space of the Hessian of the mean loss; one and the same for all who ask.

        Or of another `matrix`: those of `fisher_product`, and the covariance of the gradients of
        single examples (the empirical Fisher matrix less g g' of their mean g).
        """

    def attention_logits(
        self, weights: Weights, split: str, *, examples: int | None = None
    ) -> Mapping[str, AttentionLogits]:
        """Logits of the blocks that the network names as attention, by their names.

        Padding does not count where the module is given an `attention_mask`. Inputs only.
        """

    def training(self, run: int = 0) -> TrainingFacts:
        """What the recipe of one of the subject's runs says, step by step."""

    def replay(self, run: int = 0) -> Trace:
        """What happened at each step of a run, found out by training it again.

        It costs one training, which the metrics of one run share; looks at the training split.
        """

    def generator(self, name: str = "") -> Generator:
        """The metric's own stream for this subject."""
