"""`cka`: how alike two runs represent the same inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.probes import Probe

ROUNDING = 1e-12
LEAST = 4  # examples that the unbiased estimate takes


class CkaSettings(Settings):
    """How many inputs, and in which batches."""

    examples: int | None = setting(
        1000,
        "examples of each split, drawn once from a fixed stream, the same for both runs; null: all",
        source="a choice: more than enough for the debiased estimate",
        ge=LEAST,
    )
    batch: int = setting(
        256,
        "examples per random batch of the minibatch estimate; a last batch of fewer than 4 "
        "is left out",
        source="Nguyen et al. 2021, arXiv 2010.15327",
        ge=LEAST,
    )


def measure(settings: CkaSettings, probe: Probe) -> Reading:
    """Linear, debiased and minibatch CKA of every feature that the network names, per split."""
    import torch

    values: list[Value] = []
    sizes: dict[str, int] = {}
    for split in probe.splits:
        one, two = (
            probe.features(probe.weights(run), split, examples=settings.examples) for run in (0, 1)
        )
        for name in one:
            x, y = one[name].double(), two[name].double()
            sizes[split] = len(x)
            # splits may be sorted, by class for one, and batches must not be
            order = torch.randperm(len(x), generator=probe.generator(f"batches {split}"))
            found = {
                "linear": linear(x, y),
                "debiased": debiased(x, y),
                "minibatch": minibatch(x[order], y[order], settings.batch),
            }
            values += [
                Value(name=f"{kind}-{name}", split=split, value=value)
                for kind, value in found.items()
            ]
    return Reading(
        values=tuple(values),
        protocol={
            "examples": dict(sizes),
            "batch": settings.batch,
            "features": "flattened per example",
            "mode": "eval",
        },
    )


def linear(x: Tensor, y: Tensor) -> float:
    """||Y'X||_F^2 / (||X'X||_F ||Y'Y||_F) with centred columns."""
    x, y = _centred(x), _centred(y)
    return ratio(_cross(x, y), _cross(x, x), _cross(y, y))


def debiased(x: Tensor, y: Tensor) -> float:
    """The same of unbiased estimates; NaN of fewer than 4 examples."""
    return ratio(*products(x, y)) if len(x) >= LEAST else math.nan


def products(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Unbiased estimates of HSIC(x, y), HSIC(x, x), HSIC(y, y)."""
    x, y = _centred(x), _centred(y)
    return unbiased(x, y), unbiased(x, x), unbiased(y, y)


def unbiased(x: Tensor, y: Tensor) -> Tensor:
    """HSIC_1 of linear kernels K = XX', L = YY', their diagonals struck out.

    [tr KL + 1'K1 1'L1 / ((n-1)(n-2)) - 2 / (n-2) 1'KL1] / (n (n-3)): Song et al. 2012.
    """
    n = len(x)
    k, m = x.square().sum(1), y.square().sum(1)
    trace = _cross(x, y) - (k * m).sum()
    rows, columns = x @ x.sum(0) - k, y @ y.sum(0) - m
    both = rows.sum() * columns.sum() / ((n - 1) * (n - 2))
    return (trace + both - 2 / (n - 2) * (rows @ columns)) / (n * (n - 3))


def minibatch(x: Tensor, y: Tensor, batch: int) -> float:
    """Debiased CKA from HSIC_1 averaged over batches of rows; NaN of fewer than 4 examples."""
    if len(x) < LEAST:
        return math.nan
    parts = [
        products(x[start : start + batch], y[start : start + batch])
        for start in range(0, len(x), batch)
        if min(len(x), start + batch) - start >= LEAST
    ]
    first, second, third = (sum(part[1:], part[0]) for part in zip(*parts, strict=True))
    return ratio(first, second, third)


def ratio(both: Tensor, one: Tensor, two: Tensor) -> float:
    """Both / sqrt(one two); NaN where a representation is constant, or an estimate below 0."""
    return float(both / (one.sqrt() * two.sqrt()))


def _centred(x: Tensor) -> Tensor:
    """Columns less their means; a constant one is 0 and not what rounding leaves of it."""
    mean = x.mean(0)
    rest = x - mean
    return rest * (rest.abs().amax(0) > ROUNDING * mean.abs())


def _cross(x: Tensor, y: Tensor) -> Tensor:
    """||Y'X||_F^2 = tr XX'YY', by whichever of the two is smaller."""
    if x.shape[1] * y.shape[1] <= len(x) ** 2:
        return (x.T @ y).square().sum()
    return ((x @ x.T) * (y @ y.T)).sum()


CKA = Metric(
    name="cka",
    about="How alike two runs represent the same inputs.",
    source="Kornblith et al. 2019, arXiv 1905.00414; debiased: Song et al. 2012, Nguyen et al. "
    "2021, arXiv 2010.15327",
    settings=CkaSettings,
    measure=measure,
    of="pair",
    access="ood-inputs",
    direction="larger: more alike; its relation to OOD scores depends",
    formula="linear-F = ||Y'X||_F^2 / (||X'X||_F ||Y'Y||_F), X and Y the centred features [n, d] "
    "of module F in the two runs; debiased-F = HSIC_1(X, Y) / sqrt(HSIC_1(X, X) HSIC_1(Y, Y)) "
    "with the unbiased HSIC_1; minibatch-F the same with each HSIC_1 averaged over random batches. "
    "Per split; F are the modules that the network names as features, or penultimate.",
    invariances="exchange of the runs, orthogonal maps and isotropic scaling of either run's "
    "features (so permutation of units), shifts. Not under invertible linear maps.",
    cost="one forward pass per run and split, and O(n d^2) or O(n^2 d), the smaller.",
    oracle="1 for rotated, scaled and shifted copies; squared correlation in one dimension; mean 0 "
    "for independent Gaussians (debiased, minibatch); Gram matrices written out.",
)
