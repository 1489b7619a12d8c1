"""How a run was trained: what its recipe said, and what happened step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.recipes import Optimizer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class TrainedPhase:
    """One stretch of a training: optimizer, examples per step, and the learning rate of each step.

    The rate is that of the head: layers and groups may train at multiples of it.
    `clip` is the largest norm of a gradient (None: not clipped). The optimizer starts anew with
    every phase.
    """

    optimizer: Optimizer
    batch: int
    rates: tuple[float, ...]
    clip: float | None = None


@dataclass(frozen=True)
class TrainingFacts:
    """What a run's recipe says, resolved: phases in order. Step 1 is the first.

    `examples` is the size of the training split; `diverged_at` the first step whose loss was not
    finite, after which a run takes no further step.
    """

    phases: tuple[TrainedPhase, ...]
    examples: int
    diverged_at: int | None = None

    @property
    def steps(self) -> int:
        """Steps of all phases."""
        return sum(len(phase.rates) for phase in self.phases)

    @property
    def rates(self) -> tuple[float, ...]:
        """The learning rate of every step."""
        return tuple(rate for phase in self.phases for rate in phase.rates)

    def from_step(self, step: int) -> tuple[TrainedPhase, float]:
        """Phase and learning rate of the step that is taken from the weights after `step` steps.

        After the last step: those of the last step.

        >>> sgd = Optimizer("sgd")
        >>> facts = TrainingFacts((TrainedPhase(sgd, 8, (0.1, 0.2)),), 100)
        >>> [facts.from_step(step)[1] for step in (0, 1, 2)]
        [0.1, 0.2, 0.2]
        """
        left = min(step, self.steps - 1)
        for phase in self.phases:
            if 0 <= left < len(phase.rates):
                return phase, phase.rates[left]
            left -= len(phase.rates)
        raise ValueError("a training of no steps takes none")


@dataclass(frozen=True)
class Trace:
    """What happened at each of T steps of a training (float64 [T], on the CPU).

    `loss` is the batch's loss before the step, `rate` the learning rate, `gradient_norm` the norm
    of the gradient before it was clipped. By name of each parameter tensor that trained: `squares`
    is the mean square of the gradient g_t that the optimizer was given, `rms` is
    sqrt(mean(g_t^2 / max(u_t, eps^2))), and `updates` the root mean square of what was added to it;
    NaN at steps at which it did not train. u_t is the average of g_t^2 with the optimizer's beta2,
    g_t included and debiased: AdamW's own second moment. For SGD, which has none, it is taken with
    beta2 = 0.999.

    A run that diverged has the steps before its loss was no longer finite; `diverged_at` is that
    step. The trace is made by training the run again: `drift` is how far its end then lies from
    the stored weights, as a part of the way that the run travelled (0: it is the very same run;
    infinite: only one of the two diverged).
    """

    loss: Tensor
    rate: Tensor
    gradient_norm: Tensor
    squares: Mapping[str, Tensor]
    rms: Mapping[str, Tensor]
    updates: Mapping[str, Tensor]
    examples_seen: int = 0
    drift: float = 0.0
    diverged_at: int | None = None

    @property
    def steps(self) -> int:
        """How many steps it holds."""
        return len(self.loss)
