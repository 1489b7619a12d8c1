"""`instability` on copies that are made up; see also test_instability_in_a_suite.py."""

import math

import pytest
import torch
from torch import nn

from harness.api.cells import Branch
from harness.api.errors import HarnessError
from harness.api.recipes import Optimizer
from harness.api.trajectories import TrainedPhase, TrainingFacts
from harness.measure.scene import Objective
from harness.testing.scenes import Known, World
from harness_landscape.instability import INSTABILITY, InstabilitySettings, branches

STEPS = 100
HALF = InstabilitySettings(points=31)  # with a point at one half
FACTS = TrainingFacts((TrainedPhase(Optimizer("sgd"), 8, (0.1,) * STEPS),), 100)


class DoubleWell(nn.Module):
    """x times (w0^2 - 1)^2 + w1^2 for every example x."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def forward(self, x):
        return ((self.w[0] ** 2 - 1) ** 2 + self.w[1] ** 2) * x


HEIGHT = Objective(
    losses=lambda outputs, targets: outputs,
    errors=lambda outputs, targets: (outputs > 0.5).to(outputs.dtype),
)


def at(*w):
    return {"w": torch.tensor(w, dtype=torch.float64)}


def world(run, start=None, examples=(1.0, 1.0, 1.0, 1.0), **copies):
    """A run "a" and its branches by name: (step, copy number, weights)."""
    data = torch.tensor(examples).double(), torch.zeros(len(examples)).double()
    runs = {"a": run} | {name: weights for name, (*_, weights) in copies.items()}
    return World(
        DoubleWell(),
        {"train": data, "test": data, "ood-far": data},
        runs if start is None else {"a/init": start, **runs},
        HEIGHT,
        trainings=Known({"a": FACTS}),
        branches={name: Branch(step, copy) for name, (step, copy, _) in copies.items()},
    )


def values(made, settings=HALF, split="test"):
    reading = made.read(INSTABILITY, ("a", *made.branches), settings)
    return {value.name: value.value for value in reading.values if value.split in (split, None)}


def test_copies_in_two_wells_have_the_barrier_between_them_and_copies_in_one_have_none():
    found = values(world(at(-1, 0), b=(0, 1, at(1, 0)), c=(10, 1, at(-1, 0))))
    for kind in ("frankle-error", "frankle-loss", "lerp-error", "lerp-loss"):
        assert found[f"{kind}[0]"] == pytest.approx(1.0)
        assert found[f"{kind}[10]"] == 0.0
    assert (found["onset"], found["onset-share"]) == (10.0, 0.1)


def test_a_branch_after_the_last_step_gives_exactly_zero():
    generator = torch.Generator().manual_seed(0)
    end = at(*torch.randn(2, generator=generator).tolist())
    found = values(world(end, start=at(0, 3), b=(STEPS, 1, dict(end))), InstabilitySettings())
    assert {v for name, v in found.items() if not name.startswith("onset")} == {0.0}


def test_a_strongly_convex_loss_has_no_barrier_that_the_ends_do_not_explain():
    """On w1 alone the loss is a parabola: `frankle` is half of what the ends differ in."""
    found = values(world(at(1, 0.1), b=(0, 1, at(1, 0.1)), c=(5, 1, at(1, -0.3))))
    assert found["frankle-loss[0]"] == found["lerp-loss[5]"] == 0.0
    assert found["frankle-loss[5]"] == pytest.approx((0.09 - 0.01) / 2)
    assert found["frankle-error[0]"] == found["frankle-error[5]"] == 0.0


def test_more_copies_are_compared_two_by_two_and_averaged():
    copies = {"b": (0, 1, at(1, 0)), "c": (0, 2, at(1, 0)), "d": (7, 1, at(-1, 0))}
    made = world(at(-1, 0), **copies)
    found = values(made)
    assert found["frankle-error[0]"] == pytest.approx(2 / 3)  # two of three pairs are apart
    assert found["frankle-error[7]"] == 0.0
    protocol = made.read(INSTABILITY, ("a", "b", "c", "d"), HALF).protocol
    assert protocol["copies"] == [3, 2]


def test_distances_are_root_mean_squares_also_in_units_of_the_way_travelled():
    copies = {"b": (0, 1, at(1, 2)), "c": (4, 1, at(-1, 0))}
    made = world(at(-1, 0), start=at(-1, 4), **copies)
    found = values(made)
    assert found["l2[0]"] == pytest.approx(math.sqrt(8))
    assert found["l2-travelled[0]"] == pytest.approx(math.sqrt(8 / ((16 + 8) / 2)))
    assert found["l2[4]"] == found["l2-travelled[4]"] == 0.0
    without = values(world(at(-1, 0), **copies))
    assert not [name for name in without if name.startswith("l2-travelled")]


def test_the_onset_is_the_last_step_where_no_step_was_stable():
    made = world(at(-1, 0), b=(0, 1, at(1, 0)), c=(30, 1, at(1, 0)))
    found = values(made)
    assert (found["onset"], found["onset-share"]) == (STEPS, 1.0)


def test_stable_is_a_rise_of_the_error_below_the_threshold():
    made = world(at(-1, 0), examples=(1.0, 0.0, 0.0, 0.0), b=(30, 1, at(1, 0)))
    assert values(made)["frankle-error[30]"] == 0.25
    assert values(made)["onset"] == STEPS
    assert values(made, InstabilitySettings(points=31, stable=0.25))["onset"] == STEPS
    assert values(made, InstabilitySettings(points=31, stable=0.26))["onset"] == 30.0


def test_the_standard_error_is_that_of_a_mean_over_examples():
    made = world(at(-1, 0), examples=(1.0, 0.0, 0.0, 0.0), b=(30, 1, at(1, 0)))
    reading = made.read(INSTABILITY, ("a", "b"), HALF)
    (error,) = {v.standard_error for v in reading.values if v.name == "frankle-error[30]"}
    assert error == pytest.approx(torch.tensor([1.0, 0, 0, 0]).std().item() / 2)


def test_a_diverged_copy_has_no_basin_and_a_diverged_run_no_onset():
    gone = at(math.nan, math.nan)
    found = values(world(at(-1, 0), b=(0, 1, gone), c=(9, 1, at(-1, 0))))
    assert math.isnan(found["frankle-error[0]"])
    assert found["onset"] == 9.0
    lost = values(world(gone, b=(0, 1, at(1, 0)), c=(9, 1, gone)))
    assert math.isnan(lost["onset"])


def test_the_order_of_copies_does_not_matter():
    ends = (at(-1, 0.2), at(1, 0.4), at(0.7, 0))
    one = values(world(ends[0], b=(0, 1, ends[1]), c=(0, 2, ends[2])))
    other = values(world(ends[2], b=(0, 1, ends[0]), c=(0, 2, ends[1])))
    for name, value in one.items():
        assert other[name] == pytest.approx(value), name


def test_curves_go_over_the_steps_on_every_split():
    made = world(at(-1, 0), b=(0, 1, at(1, 0)), c=(10, 1, at(-1, 0)))
    reading = made.read(INSTABILITY, ("a", "b", "c"), HALF)
    assert [(c.name, c.split, c.x, c.axis) for c in reading.curves] == [
        ("instability", "test", [0.0, 10.0], "step"),
        ("instability", "ood-far", [0.0, 10.0], "step"),
        ("distance", None, [0.0, 10.0], "step"),
    ]
    assert reading.curves[0].y["frankle-error"] == pytest.approx([1.0, 0.0])
    shown = {value.name.partition("[")[0] for value in reading.values if not value.detail}
    assert shown == {"frankle-error", "lerp-error", "onset"}


def test_branches_are_shares_of_the_training_or_steps_each_once():
    ask = InstabilitySettings
    assert branches(ask(), 1000) == tuple(Branch(step) for step in (0, 20, 50, 100, 300))
    assert branches(ask(), 10) == (Branch(0), Branch(1), Branch(3))
    assert branches(ask(steps=(9, 3)), None) == (Branch(3), Branch(9))
    assert branches(ask(at=(0.5,), copies=3), 10) == (Branch(5, 1), Branch(5, 2))


def test_steps_before_the_training_are_the_suites_mistake():
    with pytest.raises(HarnessError, match="`steps` holds steps of the training"):
        branches(InstabilitySettings(steps=(-1,)), 100)


def test_shares_need_a_known_length_and_lie_between_none_and_all():
    with pytest.raises(HarnessError, match="give `steps` in place of `at`"):
        branches(InstabilitySettings(), None)
    with pytest.raises(HarnessError, match="give numbers from 0 to 1"):
        branches(InstabilitySettings(at=(0.5, 1.5)), 100)
