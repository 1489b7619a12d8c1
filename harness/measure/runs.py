"""Runs of Lanczos from independent random vectors: traces and spectral densities.

Run 0 is the Krylov space that eigenvalues are read from. A run of m products from a unit vector v
gives a Gauss quadrature of the spectrum as v sees it: the Ritz values are nodes, the squared first
entries of T's eigenvectors are weights, and sum_k weight_k node_k^j = v'H^j v for j < 2m. For v
uniform on the sphere, E v'f(H)v = tr f(H) / n (Ubaru, Chen and Saad 2017).

What was computed of a run is kept (two numbers per product), its basis is not, save run 0's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harness.measure.inside import Inside
from harness.measure.krylov import KrylovSpace
from harness.measure.segments import Segment


@dataclass
class Runs:
    """Runs by number; `begin(number)` gives a new space from the run's own random vector."""

    main: KrylovSpace
    begin: Callable[[int], KrylovSpace]
    _found: dict[int, Segment | None] = field(default_factory=dict)
    _diagonals: dict[int, Tensor] = field(default_factory=dict)
    _outside: dict[tuple[int, int, bool], Tensor] = field(default_factory=dict)  # sketch, run, ...

    def density(self, steps: int, run: int) -> tuple[Tensor, Tensor]:
        """Nodes and weights (they sum to 1) after at most `steps` products of a run."""
        segment = self._segment(run, steps)
        if segment is None:
            return _unknown(1), _unknown(1)
        return segment.quadrature()

    def trace_samples(self, count: int, sketch: int) -> Tensor:
        """Independent unbiased estimates [count] of the trace.

        Without a sketch: n v'Hv of runs 0, 1, ... With one, the basis Q of run 0 after so many
        products splits tr H = tr A + tr PHP, P = I - QQ' (`inside.py`). The first part is known;
        the second is sampled by runs 1, 2, ... from the very same products.
        """
        return self._samples(count, sketch, by_module=False)[:, 0]

    def module_traces(self, count: int, sketch: int) -> Tensor:
        """What the modules have of these estimates [count, modules]: rows sum to them."""
        return self._samples(count, sketch, by_module=True)

    def _samples(self, count: int, sketch: int, *, by_module: bool) -> Tensor:
        if sketch == 0:
            return _rows([self._plain(run, by_module=by_module) for run in range(count)])
        runs = range(1, count + 1)
        missing = [run for run in runs if (sketch, run, by_module) not in self._outside]
        if missing:
            inside = self.main.inside(sketch)
            for run in missing:
                self._outside[sketch, run, by_module] = self._beyond(inside, run, by_module)
        return _rows([self._outside[sketch, run, by_module] for run in runs])

    def _beyond(self, inside: Inside | None, run: int, by_module: bool) -> Tensor:
        """The known part and a sample of the rest: [1] or [modules]."""
        size = self.main.size
        if inside is None:
            return _unknown(1)
        if by_module:
            known = inside.trace_by_module
            if inside.products >= size:
                return known
            start = self.begin(run).start()
            return known + self._plain(run, by_module=True) - inside.form_by_module(start) * size
        known = torch.tensor([inside.trace], dtype=torch.float64)
        if inside.products >= size:
            return known
        start = self.begin(run).start()
        return known + self._plain(run, by_module=False) - inside.form(start) * size

    def _plain(self, run: int, *, by_module: bool) -> Tensor:
        segment = self._segment(run, 1)
        if segment is None:
            return _unknown(1)
        if by_module:
            return self._diagonals[run]
        return torch.tensor(segment.alphas, dtype=torch.float64) * self.main.size

    def _segment(self, run: int, steps: int) -> Segment | None:
        found = self._found.get(run)
        if run not in self._found or (
            found is not None and len(found.alphas) < steps and not found.closed
        ):
            space = self.main if run == 0 else self.begin(run)
            found = space.first(steps)
            diagonal = space.diagonal()
            if diagonal is not None:
                self._diagonals[run] = diagonal
            if run == 0:
                return found
            self._found[run] = found
        return None if found is None else found.first(steps)


def _rows(samples: list[Tensor]) -> Tensor:
    """As a matrix; what is unknown is unknown of every module."""
    most = max(len(sample) for sample in samples)
    return torch.stack([sample.expand(most) for sample in samples])


def _unknown(count: int) -> Tensor:
    return torch.full((count,), float("nan"), dtype=torch.float64)
