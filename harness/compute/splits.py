"""A split on the device, ready to be handed to a model in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from harness.api.data import InputSpec
from harness.api.errors import HarnessError
from harness.compute.packed import Packed, by_length, even_batches

FLOATS_KEPT = 256 * 1024**2  # bytes of ready-made float inputs that a split may hold


@dataclass(frozen=True)
class DeviceSplit:
    """Examples of one split on the device.

    `inputs` are as stored (images uint8), or `packed` is what a model's reader made of text;
    `examples` [n] are their places in the dataset's split before a limit, by which random draws are
    keyed. `targets` and `groups` are int64 [n].
    """

    name: str
    specs: Mapping[str, InputSpec]
    inputs: Mapping[str, Tensor]
    targets: Tensor
    examples: Tensor
    groups: Tensor | None = None
    packed: Packed | None = None
    _ready: dict[str, Tensor] = field(default_factory=dict, repr=False)
    _moments: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def bytes(self) -> int:
        """Memory of the inputs as stored, and as floats where these are kept."""
        if self.packed is not None:
            return self.packed.nbytes
        return sum(tensor.nbytes for tensor in self.inputs.values()) + self._float_bytes()

    @property
    def lengths(self) -> Tensor | None:
        """Tokens of each example, int64 [n] on the CPU; None where all examples are as long."""
        return None if self.packed is None else self.packed.lengths

    @property
    def truncated(self) -> int:
        """How many of its texts the model's reader cut off."""
        return 0 if self.packed is None else self.packed.cut

    def batches(self, examples: int, tokens: int) -> Iterator[Tensor | slice]:
        """Places of all examples, batch by batch: text by its length, whatever else in order.

        At most so many examples at once, or padded tokens.
        """
        if self.packed is None:
            for start in range(0, len(self), examples):
                yield slice(start, start + examples)
            return
        order = by_length(self.packed.lengths)
        for stretch in even_batches(self.packed.lengths[order], tokens):
            yield order[stretch]

    def seen_as(self, trained: Mapping[str, InputSpec]) -> DeviceSplit:
        """The split as a network expects it that was trained on inputs like `trained`.

        Images of another data set are scaled with the means and scales of the training data.
        """
        if self.specs == trained:
            return self
        ours, theirs = (
            {name: (spec.kind, spec.shape, len(spec.fields)) for name, spec in specs.items()}
            for specs in (self.specs, trained)
        )
        if ours != theirs:
            raise HarnessError(
                f"the split {self.name!r} has the inputs {ours}, the training data {theirs}",
                fix="give its dataset settings that make them equal",
            )
        return replace(self, specs=trained, _ready={}, _moments={})

    def model_inputs(self, where: Tensor | slice) -> dict[str, Tensor]:
        """Float inputs of the examples at `where` (a slice, or int64 of any shape).

        Small splits are turned into floats once, on first use. Text comes as int64
        [..., length], filled up to the longest of the batch, with an "attention_mask".
        """
        if self.packed is not None:
            return self.packed.padded(where)
        ready = self._floats()
        if ready:
            return {name: tensor[where] for name, tensor in ready.items()}
        return self.floats({name: tensor[where] for name, tensor in self.inputs.items()})

    def floats(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Stored inputs as the model takes them: images as (x / 255 - mean) / std per channel."""
        return {name: self._float(name, tensor) for name, tensor in inputs.items()}

    def _floats(self) -> dict[str, Tensor]:
        if not self._ready and self._float_bytes():
            self._ready.update(self.floats(self.inputs))
        return self._ready

    def _float_bytes(self) -> int:
        wanted = sum(4 * tensor.numel() for tensor in self.inputs.values())
        return wanted if wanted <= FLOATS_KEPT else 0

    def _float(self, name: str, values: Tensor) -> Tensor:
        spec = self.specs[name]
        if spec.kind == "float":
            return values.to(torch.float32)
        if name not in self._moments:  # once: each copy to the device would wait for it
            mean, std = (torch.tensor(n, device=values.device) for n in (spec.mean, spec.std))
            self._moments[name] = mean.reshape(-1, 1, 1), std.reshape(-1, 1, 1)
        mean, std = self._moments[name]
        return values.to(torch.float32).div_(255.0).sub_(mean).div_(std)
