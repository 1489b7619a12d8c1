"""Copies of a run that parted after one and the same step, compared two by two."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import nan, sqrt
from typing import TYPE_CHECKING

from harness_landscape.barrier import above_base
from harness_landscape.straight_line import diverged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from harness.api.contexts import Probe, Weights


@dataclass(frozen=True)
class Copies:
    """Numbers of the probe's runs that parted after `step` steps; run 0 is the run itself."""

    step: int
    runs: tuple[int, ...]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every two of them."""
        return list(combinations(self.runs, 2))


def copies_of(probe: Probe) -> list[Copies]:
    """The run and its branches, by the step of the branching."""
    at: dict[int, list[int]] = {}
    for run, branch in enumerate(probe.subject.branches):
        if branch is not None:
            at.setdefault(branch.step, [0]).append(run)
    return [Copies(step, tuple(at[step])) for step in sorted(at)]


def rises(
    lines: Sequence[list[Weights]], alphas: list[float], split: str, probe: Probe
) -> Mapping[str, Tensor]:
    """By kind of barrier, the rise where each line is highest: per example [n], mean of lines.

    NaN where a copy has diverged: it lies in no basin (see `barrier`).
    """
    import torch

    kinds: dict[str, list[Tensor]] = {}
    for points in lines:
        found = probe.evaluate(points, split, each=True)
        losses, errors = found.example_losses, found.example_errors
        if losses is None or errors is None:  # they were asked for
            raise TypeError("the probe gave no values per example")
        gone = diverged(losses)
        for quantity, each in (("loss", losses), ("error", errors)):
            for definition in ("frankle", "lerp"):
                above = above_base(alphas, each, definition)
                highest = above[int(above.mean(1).argmax())]
                row = torch.full_like(highest, nan) if gone else highest
                kinds.setdefault(f"{definition}-{quantity}", []).append(row)
    return {kind: torch.stack(rows).mean(0) for kind, rows in kinds.items()}


def distances(copies: Copies, probe: Probe) -> tuple[float, float]:
    """Between the copies, and from their start (NaN where none is known): root mean squares."""
    ends = [probe.weights(run) for run in copies.runs]
    pairs = [(probe.weights(i), probe.weights(j)) for i, j in copies.pairs]
    apart = sqrt(sum(_square(*pair, probe) for pair in pairs) / len(pairs))
    if "init" not in probe.points():
        return apart, nan
    start = probe.weights(0, "init")
    return apart, sqrt(sum(_square(end, start, probe) for end in ends) / len(ends))


def _square(first: Weights, second: Weights, probe: Probe) -> float:
    # not all devices have doubles
    a, b = (probe.parameters(weights).cpu().double() for weights in (first, second))
    return float((a - b) @ (a - b))
