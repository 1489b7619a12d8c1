"""Writes down what each step of a run was made of."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import nan
from typing import Any

import torch
from torch import Tensor

from harness.train.alone import Alone
from harness.train.batches import Batch
from harness.train.course import Stretch

SGD_BETA = 0.999  # of the average of squares where the optimizer keeps none: AdamW's default
QUANTITIES = ("squares", "rms", "updates")


@dataclass
class Second:
    """The average of a tensor's squared gradients, debiased where it is read."""

    average: Tensor
    weight: float = 0.0

    def add(self, squares: Tensor, beta: float) -> Tensor:
        """The debiased average, the newest squares included."""
        self.average.mul_(beta).add_(squares, alpha=1 - beta)
        self.weight = beta * self.weight + 1 - beta
        return self.average / self.weight


@dataclass
class Phase:
    """What trains in a phase, by name, with how its squares are averaged."""

    named: dict[str, Tensor]
    beta: float
    eps: float
    clipped: bool
    seconds: dict[str, Second]


@dataclass
class Book:
    """What was written down: per step the learning rate, and numbers by quantity and name."""

    losses: list[Tensor] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    tensors: list[dict[str, Tensor]] = field(default_factory=list)  # by name: [3]

    def column(self, name: str, steps: int) -> Tensor:
        """A tensor's numbers [steps, 3], NaN where it did not train."""
        found = torch.full((steps, len(QUANTITIES)), nan, dtype=torch.float64)
        trained = [step for step, row in enumerate(self.tensors[:steps]) if name in row]
        if trained:
            rows = torch.stack([self.tensors[step][name] for step in trained])
            found[trained] = rows.cpu().double()
        return found


class Recorder:
    """A learner that takes the steps of another, and keeps a book of them."""

    def __init__(self, alone: Alone) -> None:
        self.book = Book()
        self._alone = alone
        self._rate = 0.0

    def begin(self, stretch: Stretch) -> None:
        """A phase starts: choose what trains, make a new optimizer, and look on."""
        self._alone.begin(stretch)
        named, self._optimizer = self._alone.training()
        spec = stretch.phase.optimizer
        self._rate = spec.lr
        self._phase = Phase(
            named=named,
            beta=SGD_BETA if spec.name == "sgd" else spec.betas[1],
            eps=spec.eps,
            clipped=stretch.phase.clip is not None,
            seconds={name: Second(torch.zeros_like(p)) for name, p in named.items()},
        )

    def step(self, batch: Batch, step: int, rate: float) -> Tensor:
        """One optimizer step; the loss before it, detached."""
        with self._looking_on():
            loss = self._alone.step(batch, step, rate)
        self.book.losses.append(loss)
        self.book.rates.append(self._rate * rate)
        return loss

    def weights(self) -> list[dict[str, Tensor]]:
        """The state dict now, copied to the CPU."""
        return self._alone.weights()

    @contextmanager
    def _looking_on(self) -> Iterator[None]:
        """Weights and gradients are seen around the update; and as they come, if then clipped."""
        phase, before = self._phase, dict[str, tuple[Tensor, Tensor]]()
        came = dict[int, Tensor]()  # the last time counts, where gradients are added up

        def arrived(parameter: Tensor) -> None:
            if parameter.grad is not None:
                came[id(parameter)] = parameter.grad.detach().square().sum()

        # Any: torch's hooks are given the optimizer's own arguments
        def stepping(*_: Any) -> None:
            for name, parameter in phase.named.items():
                if parameter.grad is not None:
                    before[name] = parameter.detach().clone(), parameter.grad.detach().square()

        def stepped(*_: Any) -> None:
            self.book.tensors.append(
                {name: _numbers(phase, name, *pair) for name, pair in before.items()}
            )

        hooks = [
            p.register_post_accumulate_grad_hook(arrived)  # type: ignore[no-untyped-call]
            for p in (phase.named.values() if phase.clipped else ())
        ]
        hooks.append(self._optimizer.register_step_pre_hook(stepping))
        hooks.append(self._optimizer.register_step_post_hook(stepped))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
        squares = [*came.values()]
        if not phase.clipped:
            squares = [squares.sum() for _, squares in before.values()]
        self.book.norms.append(torch.stack(squares).sum().sqrt())


def _numbers(phase: Phase, name: str, start: Tensor, squares: Tensor) -> Tensor:
    """Mean square of the gradient, RMS_t, and root mean square of the update: [3]."""
    second = phase.seconds[name].add(squares, phase.beta)
    ratio = squares / second.clamp(min=phase.eps**2)
    update = phase.named[name].detach() - start
    return torch.stack([squares.mean(), ratio.mean().sqrt(), update.square().mean().sqrt()])
