"""Top eigenvalues and traces: ours against `pyhessian`."""

import math
import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from peers import CRITERION, Case, ratios, seeded
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from harness_landscape.hessian_top import HESSIAN_TOP, HessianTopSettings
from harness_landscape.hessian_trace import HESSIAN_TRACE, HessianTraceSettings

TOP = 5
RESIDUAL = 1e-3
EIGENVALUE = 1e-3
SHARE = 0.02
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
LONGEST = 200  # probes that are really drawn; more are extrapolated


@dataclass(frozen=True)
class Reference:
    """Found by ARPACK and 200 further probes in float64, with neither package's code."""

    eigenvalues: list[float]
    trace: float
    trace_error: float
    product: Callable[[Tensor], Tensor]


def curvature(case: Case) -> dict[str, float]:
    """Five eigenvalues to a residual of 1e-3, and the trace to a standard error of 2 %."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = refer(case)
        return {**top(case, reference), **trace(case, reference)}


def refer(case: Case) -> Reference:
    """Eigenvalues and trace from plain double differentiation."""
    net = case.net().double()
    wanted = list(net.parameters())
    loss = CRITERION(net(case.x.double()), case.y)
    grads = torch.autograd.grad(loss, wanted, create_graph=True)
    flat = torch.cat([grad.reshape(-1) for grad in grads])

    def product(vector: Tensor) -> Tensor:
        parts = torch.autograd.grad(flat, wanted, vector.double(), retain_graph=True)
        return torch.cat([part.reshape(-1) for part in parts])

    def plain(vector: Any) -> Any:
        return product(torch.from_numpy(np.ascontiguousarray(vector).reshape(-1))).numpy()

    size = len(flat)
    operator = LinearOperator((size, size), matvec=plain, dtype=np.float64)
    start = np.ones(size)
    values, vectors = eigsh(operator, k=20, which="LM", tol=1e-6, v0=start)
    basis = torch.from_numpy(vectors)
    generator = torch.Generator().manual_seed(3)
    rest = []
    for _ in range(200):
        v = torch.randn(size, generator=generator, dtype=torch.float64).sign()
        v = v - basis @ (basis.T @ v)
        rest.append(float(v @ product(v)))
    return Reference(
        sorted(values.tolist(), key=abs, reverse=True)[:TOP],
        float(values.sum()) + statistics.mean(rest),
        statistics.stdev(rest) / math.sqrt(len(rest)),
        product,
    )


def top(case: Case, reference: Reference) -> dict[str, float]:
    """Ours to a residual of 1e-3; theirs at the loosest tolerance that gives as much.

    And at the loosest that gives eigenvalues, whose error is of second order, right to 1e-3.
    """

    def ours() -> dict[str, float]:
        settings = HessianTopSettings(k=TOP, tolerance=RESIDUAL, examples=None)
        return {v.name: v.value for v in case.world().read(HESSIAN_TOP, ["a"], settings).values}

    def theirs(tolerance: float, loader: bool) -> tuple[Any, ...]:
        with seeded():
            return tuple(peer(case, loader).eigenvalues(maxIter=1000, tol=tolerance, top_n=TOP))

    found = ours()
    values = [found[f"eigenvalue-{n}"] for n in range(1, TOP + 1)]
    figures = {
        "top.ours_largest_residual": max(found[f"residual-{n}"] for n in range(1, TOP + 1)),
        "top.ours_largest_error": furthest(values, reference.eigenvalues),
        "top.ours_products": found["products"],
    }
    reached: dict[str, float] = {}
    for tolerance in TOLERANCES:
        values, vectors = theirs(tolerance, False)
        residual = max(map(partial(residual_of, reference), vectors))
        error = furthest(sorted(values, key=abs, reverse=True), reference.eigenvalues)
        if error <= EIGENVALUE and "eigenvalue" not in reached:
            reached["eigenvalue"] = tolerance
            figures["top.theirs_tolerance_for_eigenvalue"] = tolerance
        if residual <= RESIDUAL:
            reached["residual"] = tolerance
            figures["top.theirs_tolerance_for_residual"] = tolerance
            break
    for aim in ("eigenvalue", "residual"):
        if aim not in reached:
            figures[f"top.same_{aim}.reached"] = 0.0
            continue
        works = {
            "ours": ours,
            "batch": partial(theirs, reached[aim], False),
            "loader": partial(theirs, reached[aim], True),
        }
        figures |= ratios(f"top.same_{aim}", works, 1)
    return figures


def trace(case: Case, reference: Reference) -> dict[str, float]:
    """To a standard error of 2 %; theirs with as many probes as that takes."""

    def ours() -> tuple[float, float, float]:
        settings = HessianTraceSettings(tolerance=SHARE, examples=None)
        reading = case.world().read(HESSIAN_TRACE, ["a"], settings)
        values = {value.name: value for value in reading.values}
        error = values["trace"].standard_error
        assert reading.converged and error is not None
        return values["trace"].value, error, values["products"].value

    def theirs(probes: int, loader: bool) -> list[float]:
        with seeded():
            return list(peer(case, loader).trace(maxIter=probes, tol=0.0))

    value, error, products = ours()
    many = theirs(LONGEST, False)
    needed = math.ceil((statistics.stdev(many) / (SHARE * reference.trace)) ** 2)
    needed = max(needed, 8)
    drawn = min(needed, LONGEST)
    works = {"ours": ours, "batch": partial(theirs, drawn, False)}
    works["loader"] = partial(theirs, min(drawn, 40), True)
    found = ratios("trace", works, 2)
    found["trace.batch_over_ours"] *= needed / drawn
    found["trace.loader_over_ours"] *= needed / min(drawn, 40)
    return {
        "trace.reference": reference.trace,
        "trace.reference_standard_error": reference.trace_error / reference.trace,
        "trace.ours_error": (value - reference.trace) / reference.trace,
        "trace.ours_standard_error": error / value,
        "trace.ours_products": products,
        "trace.theirs_error": statistics.mean(many) / reference.trace - 1,
        "trace.theirs_probes_for_two_percent": float(needed),
        **found,
    }


def peer(case: Case, loader: bool) -> Any:
    """A new object on a new network: a second one on the same would add up gradients."""
    from pyhessian import hessian

    data = {"dataloader": case.loader()} if loader else {"data": (case.x, case.y)}
    return hessian(case.net(), CRITERION, cuda=False, **data)


def residual_of(reference: Reference, parts: list[Tensor]) -> float:
    """||Hv - lambda v|| / |lambda| of a vector."""
    vector = torch.cat([part.reshape(-1) for part in parts]).double()
    vector = vector / vector.norm()
    image = reference.product(vector)
    value = vector @ image
    return float((image - value * vector).norm() / value.abs())


def furthest(found: list[float], exact: list[float]) -> float:
    """The largest error relative to its eigenvalue."""
    return max(abs(a - b) / abs(b) for a, b in zip(found, exact, strict=True))
