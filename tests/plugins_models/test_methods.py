"""The built-in methods: settings to phases."""

import pytest
from pydantic import ValidationError

from harness.api.data import InputSpec, Outline, Task
from harness.api.recipes import Group, Optimizer, Schedule
from harness_methods.full import FULL
from harness_methods.linear_probe import LINEAR_PROBE

OUTLINE = Outline(Task("classification", ("a", "b")), {"x": InputSpec((1,))}, train=None, id={})


def test_full_trains_everything_as_its_settings_say():
    settings = FULL.settings(
        steps=7, optimizer="sgd", lr=0.1, momentum=0.5, schedule="cosine", warmup=2, clip=1.0,
        label_smoothing=0.1, batch=8, head="fresh", checkpoints="log", weight_decay=0.0,
    )  # fmt: skip
    recipe = FULL.recipe(settings, OUTLINE)
    (phase,) = recipe.phases
    assert (phase.trains, phase.steps, phase.epochs, phase.batch) == ("all", 7, None, 8)
    assert phase.optimizer == Optimizer("sgd", lr=0.1, momentum=0.5)
    assert phase.schedule == Schedule("cosine", warmup=2)
    assert (phase.clip, phase.label_smoothing) == (1.0, 0.1)
    assert (recipe.head, recipe.checkpoints) == ("fresh", "log")


def test_a_recipe_has_parts_layers_and_groups():
    groups = [{"names": ["body."], "lr": 0.1}, {"names": ["head."], "weight_decay": 0.0}]
    settings = FULL.settings(accumulate=4, layer_decay=0.9, groups=groups)
    (phase,) = FULL.recipe(settings, OUTLINE).phases
    assert phase.accumulate == 4
    assert phase.optimizer.layer_decay == 0.9
    assert phase.groups == (Group(("body.",), 0.1), Group(("head.",), 1.0, 0.0))


def test_a_linear_probe_trains_the_head():
    assert LINEAR_PROBE.recipe(LINEAR_PROBE.settings(), OUTLINE).phases[0].trains == "head"


def test_without_a_length_it_is_ten_epochs():
    for settings, length in (
        (FULL.settings(), (None, 10.0)),
        (FULL.settings(epochs=2), (None, 2.0)),
        (FULL.settings(steps=0), (0, None)),
    ):
        phase = FULL.recipe(settings, OUTLINE).phases[0]
        assert (phase.steps, phase.epochs) == length


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 1, "epochs": 1},
        {"lr": 0},
        {"rho": 1},
        {"layer_decay": 1.1},
        {"groups": [{"lr": 1}]},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        FULL.settings(**wrong)
