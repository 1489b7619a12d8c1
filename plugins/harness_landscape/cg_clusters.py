"""`cg-clusters`: basins among the runs of a procedure, from the convexity gaps of their pairs."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Literal

from pydantic import PositiveFloat

from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.convexity_gap import gaps, resampled
from harness_landscape.spectral import clustered, same_partition, silhouette
from harness_landscape.straight_line import (
    RECALIBRATE,
    RECALIBRATE_SOURCE,
    Recalibrate,
    diverged,
    evenly,
    policy,
    ready,
)

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.cells import Seeds
    from harness.api.contexts import Probe

PAPER = "Juneja et al. 2023, arXiv 2205.12411"


class CgClustersSettings(Settings):
    """How gaps are measured, and how runs are clustered by them."""

    clusters: int = setting(2, "number of clusters", source=PAPER, ge=2)
    scale: Literal["median"] | PositiveFloat = setting(
        "median",
        "the gap that counts as far, in units of the loss: a number, or the median over pairs",
        source="a choice; 1.0 in the paper suits gaps of about 1 alone",
    )
    quantity: Literal["loss", "error"] = setting("loss", "what the gap is of", source=PAPER)
    points: int = setting(
        11, "points on each line, both ends included", source="as for `convexity-gap`", ge=3, le=201
    )
    examples: int | None = setting(
        512, "examples of a split, the same for all pairs; null: all of them", source=PAPER, ge=2
    )
    resamples: int = setting(
        50, "bootstrap samples of the examples for the stability", source="a choice", ge=2
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def measure(settings: CgClustersSettings, probe: Probe) -> Reading:
    """Clusters of the runs on every in-domain split that the metric is read on."""
    matrices = _matrices(settings, probe)
    values: list[Value] = []
    curves: list[Curve] = []
    for split, several in matrices.items():
        found, matrix = _clusters(several, split, settings, probe)
        values += found
        curves.append(matrix)
    return Reading(
        values=tuple(values),
        curves=tuple(curves),
        protocol={
            "runs": len(probe.subject.keys),
            "points": settings.points,
            "quantity": settings.quantity,
            "scale": settings.scale,
            "examples": {
                split: min(probe.examples(split), settings.examples or probe.examples(split))
                for split in probe.splits
            },
            "same_examples_at_all_points": True,
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": policy(probe, settings.recalibrate),
            "parameters": "all",
        },
    )


def _matrices(settings: CgClustersSettings, probe: Probe) -> dict[str, Tensor]:
    """By split: gaps of all pairs [1 + resamples, n, n], those of all examples first."""
    import torch

    count = len(probe.subject.keys)
    found = {
        split: torch.zeros(1 + settings.resamples, count, count, dtype=torch.float64)
        for split in probe.splits
    }
    for first, second in combinations(range(count), 2):
        line = probe.line(probe.weights(first), probe.weights(second), evenly(settings.points))
        points = ready(line, probe, settings.recalibrate)
        for split, matrices in found.items():
            at = probe.evaluate(points, split, each=True, examples=settings.examples)
            losses, errors = at.example_losses, at.example_errors
            if losses is None or errors is None:  # they were asked for
                raise TypeError("the probe gave no values per example")
            if diverged(losses):
                for end, run in ((0, first), (-1, second)):
                    if not bool(losses[end].isfinite().any()):  # no gap to any run, itself included
                        matrices[:, run] = matrices[:, :, run] = torch.nan
                continue
            each = losses if settings.quantity == "loss" else errors
            # one stream for all pairs: they are resampled together
            draws = resampled(each, settings.resamples, probe.generator(f"bootstrap {split}"))
            pair = gaps(torch.cat([each.mean(1)[None], draws]))
            matrices[:, first, second] = matrices[:, second, first] = pair
    return found


def _clusters(
    matrices: Tensor, split: str, settings: CgClustersSettings, probe: Probe
) -> tuple[list[Value], Curve]:
    import torch

    kept = _finite(matrices[0])
    inner = matrices[:, kept][:, :, kept]
    scale = None if settings.scale == "median" else float(settings.scale)
    state = int(torch.randint(2**31 - 1, (), generator=probe.generator("k-means")))
    whole, *others = (clustered(matrix, settings.clusters, scale, state) for matrix in inner)
    stability = same_partition(whole.labels, [other.labels for other in others])
    numbers = {
        "silhouette": silhouette(inner[0], whole.labels),
        "stability": stability,
        "smallest": float(min(whole.sizes, default=0)),
    }
    details = {"scale": whole.scale, "left-out": float(len(matrices[0]) - len(kept))}
    names = [_name(seeds) for seeds in probe.subject.seeds]
    membership = torch.full((len(names),), float("nan"), dtype=torch.float64)
    label = membership.clone()
    membership[kept], label[kept] = whole.membership, whole.labels.double()
    for place, name in enumerate(names):
        details[f"membership[{name}]"] = float(membership[place])
        details[f"cluster[{name}]"] = float(label[place])
    values = [Value(name=name, split=split, value=number) for name, number in numbers.items()]
    values += [
        Value(name=name, split=split, value=number, detail=True) for name, number in details.items()
    ]
    rows = {name: row.tolist() for name, row in zip(names, matrices[0], strict=True)}
    places = [float(place) for place in range(len(names))]
    return values, Curve(name="gaps", split=split, x=places, y=rows, axis="run", labels=names)


def _finite(matrix: Tensor) -> list[int]:
    """Runs that are left when those of the most missing gaps are taken out one by one."""
    kept = list(range(len(matrix)))
    while bool((missing := (~matrix[kept][:, kept].isfinite()).sum(1)).any()):
        kept.pop(int(missing.argmax()))
    return kept


def _name(seeds: Seeds) -> str:
    """Seeds as "pretrain seed/fine-tune seed/order seed", as far as there are any."""
    parts = (seeds.pretrain, seeds.finetune, seeds.order)
    return "/".join(str(part) for part in parts if part is not None)


CG_CLUSTERS = Metric(
    name="cg-clusters",
    about="Basins among the runs of a procedure: clusters by the convexity gaps of their pairs.",
    source=PAPER,
    settings=CgClustersSettings,
    measure=measure,
    of="group",
    access="id",
    direction="membership larger: nearer to the basin of the medoid; silhouette larger: basins "
    "further apart; the relation of either to OOD scores depends",
    formula="g: the matrix of convexity gaps (see `convexity-gap`); affinity exp(-g^2 / (2 "
    "scale^2)), scale the median of g; k-means in the first k eigenvectors of the normalised "
    "Laplacian. cluster[run]: 0 is that of the medoid (least mean gap); membership[run] = distance "
    "to the nearest other centroid - distance to that of cluster 0. silhouette: with g as "
    "distance; stability: mean adjusted Rand index of clusterings from bootstrap samples of the "
    "examples; smallest: runs in the smallest cluster. Per in-domain split.",
    invariances="order of the runs (up to the draws of k-means and of the bootstrap); with the "
    "median scale, units of the loss.",
    cost="n (n - 1) / 2 (points - 2) + n forward passes over the examples per split, n runs; with "
    "batch norm as many passes over the training split.",
    oracle="block matrices, any order of the runs, two wells, one outlier, runs of one basin.",
)
