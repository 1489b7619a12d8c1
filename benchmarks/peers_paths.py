"""Lines and planes: ours against `loss-landscapes`."""

import math
import warnings
from collections.abc import Callable

import torch
from peers import CRITERION, Case, ratios

from harness_landscape.barrier import BARRIER, BarrierSettings
from harness_landscape.plane import PLANE, PlaneSettings
from harness_landscape.straight_line import evenly

STEPS = 25
SIDE = 11


def paths(case: Case) -> dict[str, float]:
    """A line between two runs, and the plane through them and their start, on all examples."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {**line(case), **plane(case)}


def line(case: Case) -> dict[str, float]:
    """25 points between two runs; theirs leaves the first end out, ours has both."""
    from loss_landscapes import linear_interpolation

    def ours() -> list[float]:
        reading = case.world().read(BARRIER, ["a", "b"], BarrierSettings(points=STEPS))
        return reading.curves[0].y["loss"]

    def theirs(metric: Callable[..., float]) -> list[float]:
        found = linear_interpolation(case.net("a"), case.net("b"), metric, steps=STEPS)
        return [float(loss) for loss in found]

    def exact(alphas: list[float]) -> list[float]:
        return [directly(case, [1 - alpha, alpha]) for alpha in alphas]

    batch, loader = in_one_batch(case), over_a_loader(case)
    works = {
        "ours": ours,
        "batch": lambda: theirs(batch),
        "loader": lambda: theirs(loader),
    }
    return {
        "line.ours_largest_error": furthest(ours(), exact(evenly(STEPS))),
        "line.theirs_largest_error": furthest(theirs(batch), exact(evenly(STEPS + 1)[1:])),
        **ratios("line", works, 5),
    }


def plane(case: Case) -> dict[str, float]:
    """121 points; theirs are skewed as the runs lie, and every other row is one step off."""
    from loss_landscapes import planar_interpolation

    def ours() -> tuple[
        list[list[float]], dict[str, tuple[float, float]], list[float], list[float]
    ]:
        settings = PlaneSettings(points=SIDE, examples=None)
        grid = case.world().read(PLANE, ["a", "b"], settings).grids[0]
        return grid.z["loss"], grid.marks, grid.x, grid.y

    def theirs(metric: Callable[..., float]) -> list[list[float]]:
        nets = [case.net(run) for run in ("a/init", "a", "b")]
        return [list(row) for row in planar_interpolation(*nets, metric, steps=SIDE)]

    batch, loader = in_one_batch(case), over_a_loader(case)
    works = {
        "ours": ours,
        "batch": lambda: theirs(batch),
        "loader": lambda: theirs(loader),
    }
    losses, marks, xs, ys = ours()
    flat, exact = [], []
    for row, y in enumerate(ys):
        for column, x in enumerate(xs):
            second = y / marks["second"][1]
            first = (x - second * marks["second"][0]) / marks["first"][0]
            flat.append(losses[row][column])
            exact.append(directly(case, [first, second], "a/init"))
    rows = theirs(batch)
    named = [
        [directly(case, [i / SIDE, (j + 1) / SIDE], "a/init") for j in range(SIDE)]
        for i in range(SIDE)
    ]
    return {
        "plane.ours_largest_error": furthest(flat, exact),
        "plane.theirs_largest_error_even_rows": max(map(furthest, rows[::2], named[::2])),
        "plane.theirs_largest_error_odd_rows": max(map(furthest, rows[1::2], named[1::2])),
        **ratios("plane", works, 3),
    }


def directly(case: Case, shares: list[float], start: str | None = None) -> float:
    """The loss at start + sum of shares of (run - start), or at a mean of runs, in float64."""
    ends = [case.runs["a"], case.runs["b"]]
    point = {}
    for name, tensor in ends[0].items():
        moved = [share * end[name].double() for share, end in zip(shares, ends, strict=True)]
        rest = 1 - math.fsum(shares)
        base = (
            case.runs[start][name].double() * rest if start else torch.zeros_like(tensor).double()
        )
        point[name] = base + moved[0] + moved[1]
    net = case.build().double().eval()
    net.load_state_dict(point)
    with torch.no_grad():
        return float(CRITERION(net(case.x.double()), case.y))


def furthest(found: list[float], exact: list[float]) -> float:
    """The largest error, relative to the loss."""
    return max(abs(a - b) / abs(b) for a, b in zip(found, exact, strict=True))


def in_one_batch(case: Case) -> Callable[..., float]:
    """Their own loss: all examples at once."""
    from loss_landscapes.metrics import Loss

    metric: Callable[..., float] = Loss(CRITERION, case.x, case.y)
    return metric


def over_a_loader(case: Case) -> Callable[..., float]:
    """What one writes where the examples do not fit one batch."""
    from loss_landscapes.metrics import Metric

    class LoaderLoss(Metric):  # type: ignore[misc]
        def __call__(self, model: object) -> float:
            total = 0.0
            with torch.no_grad():
                for x, y in loader:
                    total += CRITERION(model.forward(x), y).item() * len(y)  # type: ignore[attr-defined]
            return total / len(case.y)

    loader = case.loader()
    return LoaderLoss()
