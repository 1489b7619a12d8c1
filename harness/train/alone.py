"""One run by itself: a plain PyTorch training step."""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.compute.device import autocast
from harness.compute.dropout import StreamDropout, step_keys
from harness.compute.embedding import gather_gradients
from harness.compute.packed import grid_of
from harness.compute.streams import RunStreams
from harness.train.batches import Batch
from harness.train.compiling import forward_of
from harness.train.course import Course, Stretch
from harness.train.groups import paces
from harness.train.objective import Objective, Part
from harness.train.optim import clip, optimizer_for, set_rate
from harness.train.recompute import recompute
from harness.train.selection import frozen_names, prefixes_of, select, set_modes
from harness.train.turning import turning


class Alone:
    """A module of its own on the device, trained by autograd and a torch optimizer."""

    def __init__(self, course: Course, start: Mapping[str, Tensor], run: RunStreams) -> None:
        self._device = course.split.targets.device
        self._network = course.network
        self._precision = course.precision
        self._objective = Objective(course.outline.task.kind, stacked=False)
        self._module = course.module()
        self._module.load_state_dict(start)
        self._frozen = frozen_names(self._module)
        self._keys = turning([run], lambda runs: step_keys(runs[0].dropout, self._device))
        self._dropout = (
            StreamDropout(padded=course.split.packed is not None) if course.drops else None
        )
        # Elsewhere than on a CPU memory is not mapped anew for every tensor.
        small = self._device.type != "cpu" or course.split.packed is None
        self._tables = [] if small else gather_gradients(self._module)
        recompute(self._module, self._network.recomputed, self._dropout)
        self._called = forward_of(self._module, course)

    def begin(self, stretch: Stretch) -> None:
        """A phase starts: choose what trains, make a new optimizer."""
        phase = stretch.phase
        prefixes = prefixes_of(self._network, phase.trains)
        set_modes(self._module, prefixes)
        parameters = dict(self._module.named_parameters())
        trained = select(parameters, prefixes, self._frozen)
        pace = paces(phase, self._network, trained)
        self._optimizer = optimizer_for(phase.optimizer, trained, pace, stacked=False)
        self._trained = list(trained.values())
        self._phase = phase

    def step(self, batch: Batch, step: int, rate: float) -> Tensor:
        """One optimizer step; the loss before it, detached."""
        phase = self._phase
        set_rate(self._optimizer, phase.optimizer.lr * rate)
        losses = []
        for part in self._objective.parts(batch, phase.accumulate):
            logits = self._forward(part, step)
            loss = self._objective(logits, part.batch.targets, phase.label_smoothing)
            if part.share is not None:
                loss = loss * part.share
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        if phase.clip is not None:
            clip(self._trained, phase.clip, stacked=False)
        self._optimizer.step()
        self._forget()
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum(0)

    def _forget(self) -> None:
        """Drop all gradients but those of tables, which are set to zero where they are."""
        kept = [(table, table.grad) for table in self._tables if table.grad is not None]
        self._optimizer.zero_grad()
        for table, gradient in kept:
            table.grad = gradient.zero_()

    def training(self) -> tuple[dict[str, Tensor], torch.optim.Optimizer]:
        """What trains in this phase, by name, and its optimizer."""
        named = self._module.named_parameters()
        return {name: tensor for name, tensor in named if tensor.requires_grad}, self._optimizer

    def weights(self) -> list[dict[str, Tensor]]:
        """The state dict now, copied to the CPU."""
        state = self._module.state_dict()
        return [{name: tensor.detach().to("cpu", copy=True) for name, tensor in state.items()}]

    def _forward(self, part: Part, step: int) -> Tensor:
        if self._dropout is not None:
            self._dropout.begin(self._keys(step)(step), part.rows, grid_of(part.batch.inputs))
            with self._dropout:
                return self._cast(part.batch)
        return self._cast(part.batch)

    def _cast(self, batch: Batch) -> Tensor:
        if self._precision == "float32":
            return self._network.logits(self._called(**batch.inputs))
        with autocast(self._precision, self._device):
            logits = self._network.logits(self._called(**batch.inputs))
        return logits.to(torch.float32)
