"""Metrics of the surroundings of a run, on an accelerator: the numbers of the CPU."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from harness.api.symmetries import Symmetry
from harness.measure.shared import Shared
from harness.testing.scenes import World
from harness_landscape.aligned_barrier import ALIGNED_BARRIER, AlignedBarrierSettings
from harness_landscape.bezier import BEZIER
from harness_landscape.confidence import CONFIDENCE
from harness_landscape.criticality import CRITICALITY, CriticalitySettings
from harness_landscape.curve_training import CurveSettings
from harness_landscape.id_score import ID_SCORE
from harness_landscape.norms import NORMS
from harness_landscape.pac_bayes import PAC_BAYES, PacBayesSettings
from harness_landscape.plane import PLANE, PlaneSettings
from harness_landscape.rewind import REWIND, RewindSettings
from harness_landscape.sharpness import SHARPNESS, SharpnessSettings
from harness_landscape.slice import SLICE, SliceSettings

CASES = [
    (SHARPNESS, SharpnessSettings(iterations=3, batch=20, draws=2)),
    (SLICE, SliceSettings(steps=3, side=1)),
    (PLANE, PlaneSettings(points=3)),
    (NORMS, NORMS.settings()),
    (PAC_BAYES, PacBayesSettings(quantities=["loss"], depth=4)),
    (CONFIDENCE, CONFIDENCE.settings()),
    (ID_SCORE, ID_SCORE.settings()),
    (BEZIER, CurveSettings(steps=5, points=3)),
    (REWIND, RewindSettings(fresh=0)),
    (CRITICALITY, CriticalitySettings(quantity="loss", steps=2, scales=2)),
    (ALIGNED_BARRIER, AlignedBarrierSettings(restarts=2)),
]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.two = nn.Linear(8, 3)

    def forward(self, x):
        return self.two(torch.relu(self.norm(self.one(x))))


def world(device):
    generator = torch.Generator().manual_seed(0)
    runs = {
        name: {
            part: (torch.rand(tensor.shape, generator=generator) + 0.2).to(device)
            if tensor.is_floating_point()
            else tensor.clone().to(device)
            for part, tensor in Net().state_dict().items()
        }
        for name in ("a/init", "a", "b")
    }
    data = torch.randn(60, 4, generator=generator).to(device), (torch.arange(60) % 3).to(device)
    splits = {"train": data, "test": data, "ood-x": data}
    norm = [(f"norm.{part}", 0) for part in ("weight", "bias", "running_mean", "running_var")]
    axes = (("one.weight", 0), ("one.bias", 0), *norm, ("two.weight", 1))
    symmetries = (Symmetry("one", axes),)
    return World(Net().to(device).eval(), splits, runs, head=("two.",), symmetries=symmetries)


def read(device, metric, settings):
    scene = world(device)
    shared = Shared(replace(scene.shared().scene, device=device))
    keys = ["a", "b"] if metric.of == "pair" else ["a"]
    return scene.read(metric, keys, settings, shared=shared)


@pytest.mark.gpu
@pytest.mark.parametrize(("metric", "settings"), CASES, ids=[case[0].name for case in CASES])
def test_an_accelerator_reads_what_the_cpu_reads(metric, settings):
    here, there = (read(torch.device(name), metric, settings) for name in ("cpu", "cuda"))
    assert here.protocol["device"] != there.protocol["device"]
    for before, after in zip(here.values, there.values, strict=True):
        assert (after.name, after.split) == (before.name, before.split)
        assert after.value == pytest.approx(before.value, rel=0.02, abs=1e-4), before.name
