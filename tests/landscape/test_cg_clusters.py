import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.measure.scene import Objective
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.cg_clusters import CG_CLUSTERS, CgClustersSettings
from harness_landscape.convexity_gap import CONVEXITY_GAP, ConvexityGapSettings
from harness_landscape.spectral import clustered, same_partition, silhouette, spread_of


def blocks(*sizes, near=0.1, far=1.0, noise=0.0):
    """Gaps `near` within blocks and `far` between them, and noise."""
    group = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    matrix = torch.where(group[:, None] == group, near, far).double()
    draw = torch.rand(matrix.shape, generator=torch.Generator().manual_seed(0)).double()
    matrix += noise * torch.triu(draw, 1) + noise * torch.triu(draw, 1).T
    return matrix.fill_diagonal_(0), group


def same(labels, group):
    return same_partition(group, [labels]) == 1.0


@pytest.mark.parametrize("sizes", [(4, 4), (6, 3), (9, 1), (5, 5, 5), (8, 4, 2)])
def test_blocks_of_runs_are_recovered(sizes):
    matrix, group = blocks(*sizes, noise=0.05)
    found = clustered(matrix, len(sizes), None, 0)
    assert same(found.labels, group)
    assert sorted(found.sizes) == sorted(sizes)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_runs_does_not_matter(seed):
    matrix, _ = blocks(6, 3, noise=0.2)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(seed))
    there = clustered(matrix, 2, None, 0)
    back = clustered(matrix[order][:, order], 2, None, 0)
    assert torch.equal(back.labels, there.labels[order])
    assert torch.allclose(back.membership, there.membership[order])


@pytest.mark.parametrize("unit", [1e-4, 50.0])
def test_with_the_median_as_scale_the_unit_of_the_loss_does_not_matter(unit):
    matrix, group = blocks(6, 3, noise=0.2)
    there, here = clustered(matrix, 2, None, 0), clustered(unit * matrix, 2, None, 0)
    assert torch.equal(there.labels, here.labels)
    assert torch.allclose(there.membership, here.membership)
    assert here.scale == pytest.approx(unit * there.scale)
    assert same(here.labels, group)


def test_membership_is_positive_for_the_cluster_of_the_medoid_and_negative_elsewhere():
    matrix, group = blocks(3, 6, noise=0.05)  # the medoid is one of the six
    found = clustered(matrix, 2, None, 0)
    assert torch.equal(found.labels, 1 - group)
    assert torch.equal(found.membership > 0, group == 1)


def test_one_outlier_is_a_cluster_of_its_own_and_scale_is_not_zero():
    matrix, _ = blocks(9, 1, near=0.0)
    assert spread_of(matrix) == 1.0  # the median is 0
    assert sorted(clustered(matrix, 2, None, 0).sizes) == [1, 9]


def test_runs_that_no_gap_tells_apart_are_one_cluster():
    found = clustered(torch.zeros(5, 5).double(), 2, None, 0)
    assert found.sizes == [5]
    assert found.membership.tolist() == [0.0] * 5
    assert math.isnan(silhouette(torch.zeros(5, 5).double(), found.labels))


def test_the_silhouette_of_blocks_is_that_of_its_formula():
    matrix, group = blocks(4, 4)
    assert silhouette(matrix, group) == pytest.approx((1.0 - 0.1) / 1.0)


class Well(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x):
        return ((self.w**2 - 1) ** 2).sum()


def wells(*places, objective=LOSS_ITSELF, y=None):
    """Runs at these places of a double well with minima at -1 and 1."""
    y = torch.zeros(4).double() if y is None else y
    data = torch.zeros(len(y), 1).double(), y
    runs = {f"r{n}": {"w": torch.tensor([w]).double()} for n, w in enumerate(places)}
    return World(Well(), {"train": data, "test": data}, runs, objective)


FEW = CgClustersSettings(resamples=5)


def values(reading):
    return {value.name: value.value for value in reading.values}


SEVEN = (1.0, -0.9, 0.9, -1.1, 1.1, 0.95, 1.05)


def test_runs_of_two_wells_are_two_clusters():
    world = wells(*SEVEN)
    found = values(world.read(CG_CLUSTERS, list(world.runs), FEW))
    labels = [found[f"cluster[{n}]"] for n in range(7)]
    assert labels == [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]  # five of seven lie around the medoid
    assert all((found[f"membership[{n}]"] > 0) == (w > 0) for n, w in enumerate(SEVEN))
    assert found["smallest"] == 2
    assert found["silhouette"] > 0.9
    assert found["stability"] == 1.0


def test_the_matrix_is_that_of_the_metric_convexity_gap():
    world = wells(*SEVEN)
    curve = world.read(CG_CLUSTERS, list(world.runs), FEW).curves[0]
    assert list(curve.y) == [str(n) for n in range(7)]
    settings = ConvexityGapSettings(resamples=20)
    for first, second in ((0, 1), (2, 5), (3, 6)):
        gap = world.read(CONVEXITY_GAP, [f"r{first}", f"r{second}"], settings).values[0].value
        assert curve.y[str(first)][second] == curve.y[str(second)][first] == gap


def test_clusters_that_are_noise_are_not_stable():
    """Heights that only the example decides: another sample of examples finds other clusters."""

    def losses(out, y):
        return torch.sin(1e4 * out * (1 + y)) + 0 * y

    y = torch.rand(30, generator=torch.Generator().manual_seed(1)).double()
    objective = Objective(losses, lambda out, y: torch.zeros_like(y))
    places = torch.rand(8, generator=torch.Generator().manual_seed(2)).tolist()
    world = wells(*places, objective=objective, y=y)
    assert values(world.read(CG_CLUSTERS, list(world.runs)))["stability"] < 0.6


def test_end_points_are_evaluated_once_for_all_pairs():
    world = wells(*SEVEN)
    reading = world.read(
        CG_CLUSTERS, list(world.runs), CgClustersSettings(examples=None, resamples=5)
    )
    assert reading.cost.forward == (21 * 9 + 7) * 4


def test_the_draw_of_examples_is_as_large_as_asked_and_told():
    world = wells(*SEVEN, y=torch.arange(9).double())
    reading = world.read(CG_CLUSTERS, list(world.runs), CgClustersSettings(examples=5, resamples=5))
    assert reading.protocol["examples"] == {"test": 5}


def test_a_fixed_scale_in_units_of_the_loss_may_be_given():
    world = wells(*SEVEN)
    found = values(
        world.read(CG_CLUSTERS, list(world.runs), CgClustersSettings(scale=0.3, resamples=5))
    )
    assert found["scale"] == 0.3
    with pytest.raises(ValueError, match="scale"):
        CgClustersSettings(scale=0.0)


@pytest.mark.parametrize("quantity", ["loss", "error"])
def test_a_diverged_run_is_left_out_and_the_rest_clustered(quantity):
    errors = Objective(LOSS_ITSELF.losses, lambda out, y: (out.expand(y.shape) > 0.5).double())
    world = wells(*SEVEN, math.nan, objective=LOSS_ITSELF if quantity == "loss" else errors)
    settings = CgClustersSettings(resamples=5, quantity=quantity)
    found = values(world.read(CG_CLUSTERS, list(world.runs), settings))
    assert found["left-out"] == 1.0
    assert math.isnan(found["membership[7]"])
    assert found["membership[1]"] < 0 < found["membership[0]"]


def test_diverged_runs_alone_are_left_out_however_many_there_are_and_where():
    world = wells(math.nan, 1.0, math.nan)
    found = values(world.read(CG_CLUSTERS, list(world.runs), FEW))
    assert found["left-out"] == 2
    assert found["cluster[1]"] == 0
    assert all(math.isnan(found[f"cluster[{n}]"]) for n in (0, 2))
    nobody = wells(math.nan, math.nan)
    found = values(nobody.read(CG_CLUSTERS, list(nobody.runs), FEW))
    assert (found["left-out"], found["smallest"]) == (2, 0)


@pytest.mark.parametrize("places", [(1.0, -1.0), (1.0, math.nan)])
def test_too_few_runs_are_no_clusters(places):
    world = wells(*places)
    found = values(world.read(CG_CLUSTERS, list(world.runs), FEW))
    assert math.isnan(found["silhouette"])
    assert math.isnan(found["stability"])


def test_runs_are_named_by_seeds_and_their_values_are_details():
    reading = wells(*SEVEN).read(CG_CLUSTERS, [f"r{n}" for n in range(7)], FEW)
    shown = {value.name for value in reading.values if not value.detail}
    assert shown == {"silhouette", "stability", "smallest"}


def test_membership_is_a_legal_predictor_and_ood_splits_are_closed():
    world = wells(*SEVEN)
    assert world.read(CG_CLUSTERS, list(world.runs), FEW).protocol["access"] == "id"
    ood = World(
        world.module, {**world.splits, "ood-far": world.splits["test"]}, world.runs, LOSS_ITSELF
    )
    with pytest.raises(HarnessError, match="ood-far"):
        ood.read(CG_CLUSTERS, list(world.runs), FEW)


def test_reading_twice_in_a_row_gives_the_same():
    world = wells(*SEVEN)
    shared = world.shared()
    keys = list(world.runs)
    first, second = (world.read(CG_CLUSTERS, keys, FEW, shared) for _ in range(2))
    assert first.values == second.values
