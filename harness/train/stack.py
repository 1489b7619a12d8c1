"""Several runs of one procedure trained as one: parameters stacked, the forward pass vmapped.

The loss is summed over runs, and no run's loss depends on another's weights, so that one backward
pass gives each run its own gradient. Batch-norm statistics are stacked buffers, updated in place.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.func import vmap

from harness.compute.building import hollow
from harness.compute.calling import called
from harness.compute.device import autocast
from harness.compute.dropout import StreamDropout, step_keys
from harness.compute.embedding import block_padding_gradients
from harness.compute.packed import grid_of
from harness.compute.streams import RunStreams
from harness.train.batches import Batch
from harness.train.course import Course, Stretch
from harness.train.groups import paces
from harness.train.objective import Objective, Part
from harness.train.optim import clip, optimizer_for, set_rate
from harness.train.selection import frozen_names, prefixes_of, select, set_modes
from harness.train.turning import turning


class Stack:
    """The stacked weights of several runs, and the steps they take together.

    A run that diverges fills its own slice with NaN; the others do not see it.
    """

    def __init__(
        self, course: Course, starts: Sequence[Mapping[str, Tensor]], runs: Sequence[RunStreams]
    ) -> None:
        self._device = course.split.targets.device
        self._network = course.network
        self._precision = course.precision
        self._objective = Objective(course.outline.task.kind, stacked=True)
        self._runs = len(runs)
        self._module = course.module()
        self._frozen = frozen_names(self._module)
        block_padding_gradients(self._module)
        self._keys = turning(
            runs, lambda runs: step_keys([run.dropout for run in runs], self._device)
        )
        self._dropout = (
            StreamDropout(padded=course.split.packed is not None) if course.drops else None
        )
        stacked = self._stacked(starts)
        hollow(self._module)
        own = dict(self._module.named_parameters())
        self._parameters = {name: stacked[name] for name in own}
        self._buffers = {
            name: stacked[name] for name, _ in self._module.named_buffers() if name in stacked
        }
        # Tied tensors have several names in a state dict.
        first = {id(tensor): name for name, tensor in (*own.items(), *self._module.named_buffers())}
        self._first_name = {
            name: first[id(tensor)]
            for name, tensor in (
                *self._module.named_parameters(remove_duplicate=False),
                *self._module.named_buffers(remove_duplicate=False),
            )
        }

    def begin(self, stretch: Stretch) -> None:
        """A phase starts: choose what trains, make a new optimizer."""
        phase = stretch.phase
        prefixes = prefixes_of(self._network, phase.trains)
        set_modes(self._module, prefixes)
        trained = select(self._parameters, prefixes, self._frozen)
        pace = paces(phase, self._network, trained)
        self._optimizer = optimizer_for(phase.optimizer, trained, pace, stacked=True)
        self._trained = list(trained.values())
        self._phase = phase

    def step(self, batch: Batch, step: int, rate: float) -> Tensor:
        """One optimizer step of every run; the losses before it [runs], detached."""
        phase = self._phase
        set_rate(self._optimizer, phase.optimizer.lr * rate)
        taken = []
        for part in self._objective.parts(batch, phase.accumulate):
            logits = self._forward(part, step)
            losses = self._objective(logits, part.batch.targets, phase.label_smoothing)
            if part.share is not None:
                losses = losses * part.share
            losses.sum().backward()  # type: ignore[no-untyped-call]
            taken.append(losses.detach())
        if phase.clip is not None:
            clip(self._trained, phase.clip, stacked=True)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return taken[0] if len(taken) == 1 else torch.stack(taken).sum(0)

    def weights(self) -> list[dict[str, Tensor]]:
        """State dicts of all runs now, copied to the CPU."""
        everything = {**self._parameters, **self._buffers}
        stacked = {name: tensor.detach().to("cpu") for name, tensor in everything.items()}
        names = {name: self._first_name[name] for name in self._module.state_dict()}
        return [
            {name: stacked[first][run].clone() for name, first in names.items()}
            for run in range(self._runs)
        ]

    def _stacked(self, starts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """In the module's own types: a checkpoint may be float16."""
        return {
            name: torch.stack([start[name].to(self._device, own.dtype) for start in starts])
            for name, own in self._module.state_dict().items()
        }

    def _forward(self, part: Part, step: int) -> Tensor:
        """Logits [runs, b, classes], or [runs, b, length, tokens]."""
        if self._dropout is None:
            return self._cast(part, None)
        with self._dropout:
            return self._cast(part, self._keys(step)(step))

    def _cast(self, part: Part, keys: Tensor | None) -> Tensor:
        if self._precision == "float32":
            return self._vmapped(part, keys)
        with autocast(self._precision, self._device):
            logits = self._vmapped(part, keys)
        return logits.to(torch.float32)

    def _vmapped(self, part: Part, keys: Tensor | None) -> Tensor:
        def one(
            parameters: dict[str, Tensor],
            buffers: dict[str, Tensor],
            inputs: dict[str, Tensor],
            key: Tensor | None,
        ) -> Tensor:
            if self._dropout is not None and key is not None:
                self._dropout.begin(key, part.rows, grid_of(inputs))
            return self._network.logits(called(self._module, {**parameters, **buffers}, inputs))

        dims = (0, 0, 0, None if keys is None else 0)
        logits: Tensor = vmap(one, in_dims=dims)(
            self._parameters, self._buffers, part.batch.inputs, keys
        )
        return logits
