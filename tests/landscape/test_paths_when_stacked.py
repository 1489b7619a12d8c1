"""On a GPU points are evaluated as stacks; the numbers are the same as one by one."""

import pytest
import torch
from torch import nn

from harness.testing.scenes import World
from harness_landscape.agreement import AGREEMENT
from harness_landscape.basin import BASIN, BasinSettings
from harness_landscape.bezier import BEZIER
from harness_landscape.cg_clusters import CG_CLUSTERS, CgClustersSettings
from harness_landscape.convexity_gap import CONVEXITY_GAP
from harness_landscape.criticality import CRITICALITY, CriticalitySettings
from harness_landscape.curve_training import CurveSettings
from harness_landscape.layerwise_barrier import LAYERWISE_BARRIER
from harness_landscape.polychain import POLYCHAIN
from harness_landscape.rewind import REWIND, RewindSettings
from harness_landscape.shared_mistakes import SHARED_MISTAKES
from harness_landscape.soup_gain import SOUP_GAIN
from harness_landscape.wise_curve import WISE_CURVE

PAIR, EVERYBODY = ("a", "b"), ("a", "b", "c", "d")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.norm = nn.Linear(5, 8), nn.BatchNorm1d(8)
        self.two = nn.Linear(8, 3)

    def forward(self, x):
        return self.two(torch.relu(self.norm(self.one(x))))


def world(stacked):
    generator = torch.Generator().manual_seed(3)

    def run():
        found = Net().state_dict()
        noise = {n: torch.randn(t.shape, generator=generator) for n, t in found.items()}
        return {n: noise[n].abs() if "var" in n else noise[n].to(t) for n, t in found.items()}

    x = torch.randn(40, 5, generator=generator)
    data = x, torch.arange(40) % 3
    runs = {name: run() for name in (*EVERYBODY, "a/init")}
    return World(Net(), {"train": data, "test": data}, runs, stacked=stacked)


@pytest.mark.parametrize(
    ("metric", "runs", "settings"),
    [
        (CONVEXITY_GAP, PAIR, None),
        (LAYERWISE_BARRIER, PAIR, None),
        (BASIN, PAIR, BasinSettings(deltas=(0.5,), samples=2)),
        (AGREEMENT, PAIR, None),
        (SHARED_MISTAKES, PAIR, None),
        (WISE_CURVE, ("a",), None),
        (SOUP_GAIN, EVERYBODY, None),
        (CG_CLUSTERS, EVERYBODY, CgClustersSettings(resamples=5)),
        (BEZIER, PAIR, CurveSettings(steps=5)),
        (POLYCHAIN, PAIR, CurveSettings(steps=5)),
        (REWIND, ("a",), RewindSettings(fresh=0)),
        (CRITICALITY, ("a",), CriticalitySettings(quantity="loss", steps=2, scales=2)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_stacked_or_not_a_metric_reads_the_same(metric, runs, settings):
    alone, stacked = (world(way).read(metric, runs, settings) for way in (False, True))
    assert [v.name for v in alone.values] == [v.name for v in stacked.values]
    found, expected = ([v.value for v in r.values] for r in (stacked, alone))
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6, nan_ok=True)
