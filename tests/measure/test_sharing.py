"""What readings of one job share: splits, points between runs, batch-norm statistics."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.measure.scene import Budget
from harness.testing.scenes import World
from harness_landscape.barrier import BARRIER, BarrierSettings
from harness_landscape.cg_clusters import CG_CLUSTERS, CgClustersSettings
from harness_landscape.convexity_gap import CONVEXITY_GAP, ConvexityGapSettings
from harness_landscape.wise_curve import WISE_CURVE


class Net(nn.Module):
    def __init__(self, *, normed=False):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)
        self.norm = nn.BatchNorm1d(8) if normed else nn.Identity()

    def forward(self, x):
        return self.last(torch.relu(self.norm(self.first(x))))


def world(*, runs=3, normed=False, **more):
    generator = torch.Generator().manual_seed(0)

    def data(count):
        x = torch.randn(count, 6, generator=generator)
        return x, torch.randint(3, (count,), generator=generator)

    points = {}
    for number in range(runs):
        drawn = torch.Generator().manual_seed(number)
        state = Net(normed=normed).state_dict()
        points[f"r{number}"] = {
            name: torch.rand(tensor.shape, generator=drawn)
            if tensor.is_floating_point()
            else tensor
            for name, tensor in state.items()
        }
    splits = {"train": data(40), "test": data(30), "ood-far": data(20)}
    return World(Net(normed=normed), splits, points, **more)


def parts(reading):
    return reading.values, reading.curves


GAP = ConvexityGapSettings(resamples=20)
CG = CgClustersSettings(resamples=2)


@pytest.mark.parametrize("normed", [False, True])
@pytest.mark.parametrize("stacked", [False, True])
def test_metrics_of_one_line_pay_once_and_read_the_same(normed, stacked):
    here = world(normed=normed, stacked=stacked)
    orders = [(BARRIER, ["r0", "r1"], None), (CONVEXITY_GAP, ["r0", "r1"], GAP)]
    shared = here.shared()
    together = [here.read(*order, shared) for order in orders]
    alone = [here.read(*order) for order in orders]
    assert [parts(reading) for reading in together] == [parts(reading) for reading in alone]
    passes = 11 * (50 + normed * 40)
    assert [reading.cost.forward for reading in together] == [passes, 0]
    assert [reading.cost.forward for reading in alone] == [passes, passes]


def test_clusters_of_runs_pay_for_lines_once_with_the_barriers_of_all_pairs():
    here = world(runs=4)
    here = replace(here, splits={name: here.splits[name] for name in ("train", "test")})
    keys = list(here.runs)
    pairs = [[a, b] for place, a in enumerate(keys) for b in keys[place + 1 :]]
    shared = here.shared()
    first = here.read(CG_CLUSTERS, keys, CG, shared)
    barriers = [here.read(BARRIER, pair, None, shared) for pair in pairs]
    assert first.cost.forward == (4 + 6 * 9) * 30
    assert [reading.cost.forward for reading in barriers] == [0] * 6
    for pair, reading in zip(pairs, barriers, strict=True):
        assert parts(reading) == parts(here.read(BARRIER, pair))
    assert parts(first) == parts(here.read(CG_CLUSTERS, keys, CG))


def test_other_places_on_a_line_are_other_points():
    here = world()
    shared = here.shared()
    here.read(BARRIER, ["r0", "r1"], BarrierSettings(points=5), shared)
    reading = here.read(BARRIER, ["r0", "r1"], BarrierSettings(points=3), shared)
    assert reading.cost.forward == 0  # 0, 1/2, 1 are among the five
    reading = here.read(BARRIER, ["r0", "r1"], BarrierSettings(points=4), shared)
    assert reading.cost.forward == 2 * 50
    reading = here.read(BARRIER, ["r1", "r0"], BarrierSettings(points=3), shared)
    assert reading.cost.forward == 50  # the way back rounds otherwise


def test_lines_beyond_the_cache_are_evaluated_again_and_end_points_are_not():
    room = 8 * 2 * 30 * 2  # two evaluations of 30 examples: losses and errors in double precision
    here = world(budget=Budget(cache=room + 4 * 2 * 8 * 20))
    shared = here.shared()
    first = here.read(BARRIER, ["r0", "r1"], None, shared)
    again = here.read(BARRIER, ["r0", "r1"], None, shared)
    assert parts(first) == parts(again)
    assert 0 < again.cost.forward <= first.cost.forward
    assert shared.lines._taken <= shared.lines.room


def test_a_metric_that_changes_recalibrated_statistics_changes_its_own_copy():
    here = world(normed=True)
    shared = here.shared()
    probe = here.probe("r0", "r1", shared=shared)
    (middle,) = probe.recalibrated(probe.line(probe.weights(0), probe.weights(1), [0.5]))
    before = probe.evaluate([middle], "test").loss
    middle["norm.running_mean"].add_(100.0)
    later = here.probe("r0", "r1", shared=shared)
    (anew,) = later.recalibrated(later.line(later.weights(0), later.weights(1), [0.5]))
    assert float(anew["norm.running_mean"].abs().max()) < 50
    assert torch.equal(later.evaluate([anew], "test", each=True).loss, before)


def test_points_between_unnamed_weights_are_nobody_elses():
    here = world()
    shared = here.shared()
    for _ in range(2):
        probe = here.probe("r0", "r1", shared=shared)
        middle = probe.at(probe.parameters(probe.weights(0)) * 0.9, probe.weights(0))
        probe.evaluate(probe.line(middle, probe.weights(1), [0.25, 0.5]), "test")
        assert probe.ledger.cost().forward == 2 * 30


def test_a_reading_sees_no_split_that_only_others_have_named():
    here = world()
    shared = here.shared()
    here.probe("r0", shared=shared).evaluate([here.runs["r0"]], "ood-far")
    few = replace(here, splits={name: here.splits[name] for name in ("train", "test")})
    probe = few.probe("r0", shared=shared)
    with pytest.raises(HarnessError, match=r"no split 'ood-far' to measure on.*there are: test"):
        probe.evaluate([probe.weights()], "ood-far")


def test_a_curve_from_the_start_shares_its_points_too():
    here = world()
    runs = {"r0": here.runs["r0"], "r0/init": here.runs["r1"]}
    here = replace(here, runs=runs)
    shared = here.shared()
    first, second = (here.read(WISE_CURVE, ["r0"], None, shared) for _ in range(2))
    assert parts(first) == parts(second)
    assert (first.cost.forward > 0, second.cost.forward) == (True, 0)
