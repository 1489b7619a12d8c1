"""How long a step takes, and a prediction: a few timed here, on inputs that mean nothing.

Imports torch, and so is imported only when a cost is asked for.
"""

import time
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from harness.api.data import Outline
from harness.api.networks import Network
from harness.api.texts import MASK, Reader, Texts

TIMED = 3
PREDICTED = 256
"""Examples of the timed forward passes."""

TOKENS, TEXTS = 64, 8
"""Texts of this length are timed, or of the longest that the model reads if that is less, and at
most so many at once: more take longer in proportion."""


@dataclass(frozen=True)
class Trial:
    """A network, what it is for, and its tokenizer where it reads text."""

    network: Network
    outline: Outline
    reader: Reader | None = None

    def pace(self, batch: int) -> tuple[float, float]:
        """Seconds of one training step, and of predicting one example, on one CPU thread."""
        step, passed = (min(most, TEXTS) if self.reader else most for most in (batch, PREDICTED))
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            steps = [self._step(step) for _ in range(1 + TIMED)]
            passes = [self._pass(passed) for _ in range(1 + TIMED)]
        finally:
            torch.set_num_threads(threads)
        return median(steps[1:]) * batch / step, median(passes[1:]) / passed

    def _step(self, batch: int) -> float:
        network, inputs = self.network, self._inputs(batch)
        network.module.train()
        begun = time.perf_counter()
        logits = network.logits(network.module(**inputs)).flatten(0, -2)
        targets = torch.arange(len(logits)) % logits.shape[-1]
        loss = nn.functional.cross_entropy(logits, targets)
        trained = [each for each in network.module.parameters() if each.requires_grad]
        gradients = torch.autograd.grad(loss, trained, allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(trained, gradients, strict=True):
                if gradient is not None:
                    parameter.sub_(gradient, alpha=1e-3)
        return time.perf_counter() - begun

    def _pass(self, batch: int) -> float:
        inputs = self._inputs(batch)
        self.network.module.eval()
        begun = time.perf_counter()
        with torch.no_grad():
            self.network.logits(self.network.module(**inputs))
        return time.perf_counter() - begun

    def _inputs(self, batch: int) -> dict[str, Tensor]:
        if self.reader is not None:
            return self._tokens(self.reader, batch)
        draw = torch.Generator().manual_seed(0)
        return {
            name: torch.randn((batch, *spec.shape), generator=draw)
            for name, spec in self.outline.inputs.items()
        }

    def _tokens(self, reader: Reader, batch: int) -> dict[str, Tensor]:
        """A text as the model reads it, repeated if it is short: columns, and tokens it knows."""
        import pyarrow as pa  # noqa: PLC0415  # only where there is text

        (spec,) = self.outline.inputs.values()
        texts = Texts({field: pa.chunked_array([["a " * TOKENS]]) for field in spec.fields})
        read = reader.read(texts)
        length = min(TOKENS, int(read.offsets[-1])) if read.cut else TOKENS
        columns = {
            name: column.long().repeat(TOKENS)[:length].repeat(batch, 1)
            for name, column in read.columns.items()
        }
        return {**columns, MASK: torch.ones(batch, length, dtype=torch.int64)}
