"""Runs of Lanczos from independent random vectors: traces and spectral densities.

Run 0 is the Krylov space that eigenvalues are read from. A run of m products from a unit vector v
gives a Gauss quadrature of the spectrum as v sees it: the Ritz values are nodes, the squared first
entries of T's eigenvectors are weights, and sum_k weight_k node_k^j = v'H^j v for j < 2m. For v
uniform on the sphere, E v'f(H)v = tr f(H) / n (Ubaru, Chen and Saad 2017).

What was computed of a run is kept (two numbers per product), its basis is not, save run 0's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harness.measure.krylov import KrylovSpace
from harness.measure.segments import Segment


@dataclass
class Runs:
    """Runs by number; `begin(number)` gives a new space from the run's own random vector."""

    main: KrylovSpace
    begin: Callable[[int], KrylovSpace]
    _found: dict[int, Segment | None] = field(default_factory=dict)
    _outside: dict[tuple[int, int], Tensor] = field(default_factory=dict)  # by sketch and run

    def density(self, steps: int, run: int) -> tuple[Tensor, Tensor]:
        """Nodes and weights (they sum to 1) after at most `steps` products of a run."""
        segment = self._segment(run, steps)
        if segment is None:
            return _unknown(1), _unknown(1)
        return segment.quadrature()

    def trace_samples(self, count: int, sketch: int) -> Tensor:
        """Independent unbiased estimates [count] of the trace.

        Without a sketch: n v'Hv of runs 0, 1, ... With one, the basis Q of run 0 after so many
        products splits tr H = tr Q'HQ + tr PHP, P = I - QQ'. The first part is known; the second
        is sampled by runs 1, 2, ... from the very same products (`Segment.inside`).
        """
        if sketch == 0:
            return torch.cat([self._plain(run) for run in range(count)])
        missing = [run for run in range(1, count + 1) if (sketch, run) not in self._outside]
        if missing:
            self._sample(sketch, missing)
        return torch.cat([self._outside[sketch, run] for run in range(1, count + 1)])

    def _sample(self, sketch: int, runs: Sequence[int]) -> None:
        split = self.main.split(sketch)
        for run in runs:
            if split is None:
                sample = _unknown(1)
            elif sketch >= self.main.size:
                sample = torch.tensor([split[0]], dtype=torch.float64)
            else:
                inside = split[1](self.begin(run).start()) * self.main.size
                sample = split[0] + self._plain(run) - inside
            self._outside[sketch, run] = sample

    def _plain(self, run: int) -> Tensor:
        segment = self._segment(run, 1)
        if segment is None:
            return _unknown(1)
        return torch.tensor(segment.alphas, dtype=torch.float64) * self.main.size

    def _segment(self, run: int, steps: int) -> Segment | None:
        if run == 0:
            return self.main.first(steps)
        found = self._found.get(run)
        if run not in self._found or (
            found is not None and len(found.alphas) < steps and not found.closed
        ):
            found = self._found[run] = self.begin(run).first(steps)
        return None if found is None else found.first(steps)


def _unknown(count: int) -> Tensor:
    return torch.full((count,), float("nan"), dtype=torch.float64)
