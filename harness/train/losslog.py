"""Training losses as they come, looked at only now and then: a look waits for the device."""

import math

import torch
from torch import Tensor


class LossLog:
    """Collects each step's loss (one, or one per run of a stack) without waiting for it.

    `diverged` holds, per run, the first step (1 is the first) whose loss was not finite, or None;
    `curves` the losses before that at the steps asked for. Both are up to date after `look`.
    """

    def __init__(self, runs: int, wanted: list[int]) -> None:
        self.diverged: list[int | None] = [None] * runs
        self.curves: list[dict[int, float]] = [{} for _ in range(runs)]
        self.latest = math.nan
        self._wanted = frozenset(wanted)
        self._pending: list[Tensor] = []
        self._seen = 0

    def add(self, loss: Tensor) -> None:
        """The next step's loss, detached."""
        self._pending.append(loss)

    def look(self) -> bool:
        """Read what has come; False where no run is left that could go on."""
        if self._pending:
            losses = torch.stack(self._pending).to("cpu", torch.float32)
            self._pending.clear()
            for run, column in enumerate(losses.reshape(len(losses), -1).unbind(1)):
                self._read(run, column)
            self._seen += len(losses)
            self.latest = float(losses[-1].mean())
        return any(step is None for step in self.diverged)

    def _read(self, run: int, losses: Tensor) -> None:
        if self.diverged[run] is not None:
            return
        finite = torch.isfinite(losses)
        good = len(losses)
        if not bool(finite.all()):
            good = int(finite.to(torch.int64).argmin())
            self.diverged[run] = self._seen + good + 1
        for place in range(good):
            step = self._seen + place + 1
            if step in self._wanted:
                self.curves[run][step] = float(losses[place])
