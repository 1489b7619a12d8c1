"""One run by itself: a plain PyTorch training step."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.compute.device import autocast
from harness.compute.dropout import StreamDropout, step_keys
from harness.compute.streams import RunStreams
from harness.train.batches import Batch
from harness.train.course import Course, Stretch
from harness.train.optim import clip, optimizer_for
from harness.train.selection import frozen_names, prefixes_of, select, set_modes
from harness.train.turning import turning


class Alone:
    """A module of its own on the device, trained by autograd and a torch optimizer."""

    def __init__(self, course: Course, start: Mapping[str, Tensor], run: RunStreams) -> None:
        self._device = course.split.targets.device
        self._network = course.network
        self._precision = course.precision
        self._module = course.module()
        self._module.load_state_dict(start)
        self._frozen = frozen_names(self._module)
        self._keys = turning([run], lambda runs: step_keys(runs[0].dropout, self._device))
        self._dropout = (
            StreamDropout(padded=course.split.packed is not None) if course.drops else None
        )

    def begin(self, stretch: Stretch) -> None:
        """A phase starts: choose what trains, make a new optimizer."""
        phase = stretch.phase
        prefixes = prefixes_of(self._network, phase.trains)
        set_modes(self._module, prefixes)
        parameters = dict(self._module.named_parameters())
        self._trained = select(parameters, prefixes, self._frozen)
        self._optimizer = optimizer_for(phase.optimizer, self._trained, stacked=False)
        self._phase = phase

    def step(self, batch: Batch, step: int, rate: float) -> Tensor:
        """One optimizer step; the loss before it, detached."""
        phase = self._phase
        for group in self._optimizer.param_groups:
            group["lr"] = phase.optimizer.lr * rate
        logits = self._forward(batch, step)
        loss = F.cross_entropy(logits, batch.targets, label_smoothing=phase.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        if phase.clip is not None:
            clip(self._trained, phase.clip, stacked=False)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return loss.detach()

    def training(self) -> tuple[dict[str, Tensor], torch.optim.Optimizer]:
        """What trains in this phase, by name, and its optimizer."""
        named = self._module.named_parameters()
        return {name: tensor for name, tensor in named if tensor.requires_grad}, self._optimizer

    def weights(self) -> list[dict[str, Tensor]]:
        """The state dict now, copied to the CPU."""
        state = self._module.state_dict()
        return [{name: tensor.detach().to("cpu", copy=True) for name, tensor in state.items()}]

    def _forward(self, batch: Batch, step: int) -> Tensor:
        if self._dropout is not None:
            self._dropout.begin(self._keys(step)(step))
            with self._dropout:
                return self._cast(batch)
        return self._cast(batch)

    def _cast(self, batch: Batch) -> Tensor:
        if self._precision == "float32":
            return self._network.logits(self._module(**batch.inputs))
        with autocast(self._precision, self._device):
            logits = self._network.logits(self._module(**batch.inputs))
        return logits.to(torch.float32)
