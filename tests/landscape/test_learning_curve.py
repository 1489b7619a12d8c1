"""What stopping earlier would have gained, in closed form along a made-up way."""

import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.api.probes import ProbeScore
from harness.api.recipes import Optimizer
from harness.api.trajectories import TrainedPhase, TrainingFacts
from harness.measure.scene import Objective
from harness.testing.scenes import Known, World
from harness_landscape.learning_curve import LEARNING_CURVE, LearningCurveSettings

STEPS = (0, 1, 2, 4, 6)


class Way(nn.Module):
    """Its output is its only weight: how far training has come."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x):
        return self.w.expand(len(x))


def read(in_domain, out_of_domain, diverged=None, points=STEPS, scores=None):
    """The metric where errors on `test` and `far` are these functions of the step."""

    def errors(out, y):
        return torch.where(y == 0, in_domain(out) + 0 * y, out_of_domain(out) + 0 * y)

    def weight(step):
        return {"w": torch.full((1,), float(step), dtype=torch.float64)}

    names = {0: "a/init", points[-1]: "a"}
    runs = {names.get(step, f"a/checkpoint-{step}"): weight(step) for step in points}
    phases = (TrainedPhase(Optimizer("sgd"), 4, (0.1,) * 6),)
    splits = {
        name: (torch.zeros(4, 1).double(), torch.full((4,), kind).double())
        for name, kind in (("train", 0.0), ("test", 0.0), ("ood-far", 1.0))
    }
    world = World(
        Way(),
        splits,
        runs,
        Objective(losses=lambda out, y: 2 * errors(out, y), errors=errors),
        trainings=Known({"a": TrainingFacts(phases, 10, diverged)}),
        scores=scores or {},
    )
    return world.read(LEARNING_CURVE, ["a"], LearningCurveSettings(scores=tuple(scores or ())))


def values(reading, split):
    return {value.name: value.value for value in reading.values if value.split == split}


def valley(bottom):
    return lambda step: 0.2 + 0.01 * (step - bottom) ** 2


def test_a_run_that_only_gets_better_gains_nothing_by_stopping():
    reading = read(lambda step: 0.9 - 0.1 * step, lambda step: 0.8 - 0.1 * step)

    for split in ("test", "ood-far"):
        found = values(reading, split)
        assert found["best-gain-error"] == found["best-gain-loss"] == 0.0
        assert found["best-step-error"] == 6.0
    assert values(reading, "test")["chosen-step"] == 6.0
    assert values(reading, "ood-far")["chosen-gain-error"] == 0.0


def test_the_point_that_is_best_in_domain_is_not_the_one_that_is_best_ood():
    reading = read(valley(4), valley(1))

    far = values(reading, "ood-far")
    assert values(reading, "test")["chosen-step"] == 4.0
    assert far["best-step-error"] == 1.0
    assert far["best-gain-error"] == pytest.approx(0.25)  # .01 (5^2 - 0)
    assert far["best-gain-loss"] == pytest.approx(0.5)
    assert far["chosen-gain-error"] == pytest.approx(0.16)  # .01 (5^2 - 3^2)


def test_of_equally_good_points_the_latest_is_taken():
    reading = read(lambda step: 0.5 + 0 * step, lambda step: 0.1 * step)

    assert values(reading, "test")["chosen-step"] == 6.0
    assert values(reading, "ood-far")["chosen-gain-error"] == 0.0


def test_curves_stand_over_the_steps_of_the_points():
    reading = read(valley(4), valley(1))

    curve = next(curve for curve in reading.curves if curve.split == "ood-far")
    assert curve.x == [0.0, 1.0, 2.0, 4.0, 6.0]
    assert curve.y["error"] == pytest.approx([0.21, 0.2, 0.21, 0.29, 0.45])
    assert curve.y["loss"] == pytest.approx([0.42, 0.4, 0.42, 0.58, 0.9])
    assert curve.axis == "step"
    assert reading.protocol["chosen_on"] == "test"


def test_scores_of_the_suite_are_drawn_where_asked_for():
    mean = ProbeScore(lambda logits, _: float(logits.mean()), higher_is_better=True)

    reading = read(valley(4), valley(1), scores={"how-far": mean})

    assert all(curve.y["how-far"] == [0.0, 1.0, 2.0, 4.0, 6.0] for curve in reading.curves)


def test_a_run_that_diverged_has_no_end_to_compare_with():
    reading = read(valley(4), valley(1), diverged=5)

    assert all(math.isnan(value.value) for value in reading.values)
    assert reading.curves[0].x == [0.0, 1.0, 2.0, 4.0]


def test_two_ends_are_no_curve():
    with pytest.raises(HarnessError, match="wants at least 3 points of a run") as error:
        read(valley(4), valley(1), points=(0, 6))
    assert "checkpoints: log" in str(error.value)
