"""Spectral clustering of a matrix of gaps between runs, told from the medoid's cluster."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

NAN = float("nan")


@dataclass(frozen=True)
class Clustering:
    """Clusters [n] from 0, that of the medoid first, and how far each run belongs to that one.

    `membership` is the distance to the nearest other centroid minus that to the medoid's.
    """

    labels: Tensor
    membership: Tensor
    scale: float

    @property
    def sizes(self) -> list[int]:
        """How many runs each cluster has."""
        return [int(size) for size in self.labels.bincount()]


def clustered(matrix: Tensor, clusters: int, scale: float | None, random_state: int) -> Clustering:
    """Clusters of a symmetric matrix [n, n] of gaps, `scale` None meaning their median.

    Affinity exp(-gap^2 / (2 scale^2)), the first eigenvectors of its normalised Laplacian, k-means
    (Juneja et al. 2023). Runs that no gap tells apart are one cluster.
    """
    import torch

    with undrawn():
        from sklearn.cluster import KMeans

    scale = spread_of(matrix) if scale is None else scale
    nothing = Clustering(torch.zeros(len(matrix)).long(), torch.zeros(len(matrix)).double(), scale)
    if scale == 0 or len(matrix) <= clusters:
        return nothing
    embedding = embedded((-matrix.square() / (2 * scale**2)).exp(), clusters)
    if len({tuple(row) for row in embedding.round(decimals=9).tolist()}) < clusters:
        return nothing
    means = KMeans(clusters, n_init=10, random_state=random_state).fit(embedding.numpy())
    found = torch.from_numpy(means.labels_).long()
    centroids = torch.from_numpy(means.cluster_centers_)
    order = dict.fromkeys([int(found[medoid(matrix)]), *found.tolist()])
    new = {old: place for place, old in enumerate(order)}
    distances = torch.cdist(embedding, centroids[list(order)])
    membership = distances[:, 1:].min(1).values - distances[:, 0]
    return Clustering(torch.tensor([new[int(old)] for old in found]), membership, scale)


def embedded(affinity: Tensor, dimensions: int) -> Tensor:
    """The first eigenvectors [n, dimensions] of the random walk on an affinity matrix."""
    import torch

    roots = affinity.sum(1).sqrt()
    vectors: Tensor = torch.linalg.eigh(affinity / (roots[:, None] * roots)).eigenvectors
    return vectors.flip(1)[:, :dimensions] / roots[:, None]


def spread_of(matrix: Tensor) -> float:
    """Median of the gaps of all pairs; the mean of those above 0 where most pairs have none."""
    import torch

    rows, columns = torch.triu_indices(len(matrix), len(matrix), 1)
    gaps = matrix[rows, columns]
    if not bool((gaps > 0).any()):
        return 0.0
    median = float(gaps.quantile(0.5))
    return median if median > 0 else float(gaps[gaps > 0].mean())


def medoid(matrix: Tensor) -> int:
    """The run with the least mean gap to the others; the first of several."""
    return int(matrix.sum(1).argmin())


def silhouette(matrix: Tensor, labels: Tensor) -> float:
    """Mean silhouette of the clusters; NaN where there is one, or each run has its own."""
    with undrawn():
        from sklearn.metrics import silhouette_score

    if not 2 <= len(set(labels.tolist())) < len(labels):
        return NAN
    return float(silhouette_score(matrix.numpy(), labels.numpy(), metric="precomputed"))


def same_partition(labels: Tensor, others: list[Tensor]) -> float:
    """Mean adjusted Rand index of other clusterings of the same runs; NaN for one cluster."""
    with undrawn():
        from sklearn.metrics import adjusted_rand_score

    if len(set(labels.tolist())) < 2:
        return NAN
    found = [float(adjusted_rand_score(labels.numpy(), other.numpy())) for other in others]
    return sum(found) / len(found)


@contextmanager
def undrawn() -> Iterator[None]:
    """Python's generator as it was: importing scikit-learn for the first time draws from it."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
