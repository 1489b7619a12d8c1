"""`norms`: sizes of a run's weights, layer by layer and along paths, and how far they moved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness_landscape.path_norm import path_norm

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Probe, Weights
    from harness.api.settings import NoSettings


def measure(settings: NoSettings, probe: Probe) -> Reading:
    """Norms of the final weights, and distances from where the run started."""
    final = _parameters(probe, probe.weights())
    started = next((name for name in ("pretrained", "init") if name in probe.points()), None)
    matrices = {name: _matrix(tensor) for name, tensor in final.items() if tensor.dim() > 1}
    spectral = {name: _largest(matrix) for name, matrix in matrices.items()}
    frobenius = {name: float(matrix.norm()) for name, matrix in matrices.items()}
    found = {"l2": _length(final.values())}
    if started is not None:
        start = _parameters(probe, probe.weights(point=started))
        moved = {name: final[name] - start[name] for name in final}
        found["distance"] = _length(moved.values())
        length = _length(start.values())
        found["relative-distance"] = found["distance"] / length if length else math.nan
    if matrices:
        found["log-spectral-product"] = sum(_log(size) for size in spectral.values())
        found["log-frobenius-product"] = sum(_log(size) for size in frobenius.values())
    path = path_norm(probe, probe.weights())
    if path is not None:
        found["path"] = path
    details = {f"l2-{name}": _length(parts) for name, parts in _by_module(final).items()}
    if started is not None:
        details |= {f"distance-{name}": _length(p) for name, p in _by_module(moved).items()}
    details |= {f"spectral-{_layer(name)}": size for name, size in spectral.items()}
    values = [Value(name=name, value=size) for name, size in found.items()]
    values += [Value(name=name, value=size, detail=True) for name, size in details.items()]
    return Reading(
        values=tuple(values),
        protocol={
            "start": started,
            "points": "final",
            "parameters": "all; products over weights of two or more dimensions",
            "convolutions": "as matrices [out, in x kernel]",
            "precision": "double",
            "path_norm": "batch norm folded in" if path is not None else "not defined here",
        },
    )


def _parameters(probe: Probe, weights: Weights) -> dict[str, Tensor]:
    return {name: weights[name].detach().double() for name in probe.names()}


def _by_module(parts: Mapping[str, Tensor]) -> dict[str, list[Tensor]]:
    modules: dict[str, list[Tensor]] = {}
    for name, tensor in parts.items():
        modules.setdefault(_layer(name), []).append(tensor)
    return modules


def _layer(name: str) -> str:
    """The module that a parameter belongs to; its own name where that is the network itself."""
    return name.rpartition(".")[0] or name


def _matrix(tensor: Tensor) -> Tensor:
    return tensor.reshape(len(tensor), -1)


def _largest(matrix: Tensor) -> float:
    """The largest singular value, through the smaller of W W' and W'W (exact to 1e-8 or so)."""
    import torch

    if not bool(matrix.isfinite().all()):
        return math.nan
    rows, columns = matrix.shape
    gram = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    return math.sqrt(max(0.0, float(torch.linalg.eigvalsh(gram)[-1])))


def _length(parts: Iterable[Tensor]) -> float:
    """The Euclidean norm of several tensors taken as one vector."""
    squares = [float(part.square().sum()) for part in parts]
    return math.sqrt(sum(squares))


def _log(size: float) -> float:
    return math.log(size) if size > 0 else (-math.inf if size == 0 else math.nan)


NORMS = Metric(
    name="norms",
    about="Sizes of the weights: Euclidean, spectral, along paths, and the distance travelled.",
    source="Neyshabur et al. 2015, arXiv 1503.00036 (path norm); Jiang et al. 2020, arXiv "
    "1912.02178; Dziugaite et al. 2020, arXiv 2010.11924",
    measure=measure,
    of="point",
    access="train",
    direction="larger: more capacity by these measures; its relation to OOD scores depends",
    formula="l2 = ||w||; distance = ||w - w0||, w0 the start; relative-distance = ||w - w0|| / "
    "||w0||; log-spectral-product = sum_i log sigma_max(W_i); log-frobenius-product = sum_i log "
    "||W_i||_F; path = sqrt(sum_j f_{w^2}(1)_j), the network with squared weights at an input of "
    "ones, batch norm folded in with torch's eps of 1e-5; there is none with layer or group norm "
    "(so none for `cnn` by default), nor for tokens; spectral-LAYER, l2-MODULE, distance-MODULE "
    "one by one.",
    invariances="path: rescaling of units (c u, v / c) of a ReLU network. All: permutation of "
    "units; distance: if the start is permuted alike.",
    cost="one forward pass of one example where there is a path norm; one eigenvalue problem per "
    "weight matrix.",
    oracle="diagonal and rank-one matrices, singular values, sums over all paths of a small "
    "network, batch norm folded into its layer by hand.",
)
