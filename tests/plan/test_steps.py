"""How many steps a recipe trains."""

import pytest

from harness.api.cells import Limit
from harness.api.recipes import Phase, Recipe
from harness.plan import phase_steps


@pytest.mark.parametrize(
    ("phase", "examples", "steps"),
    [
        (Phase(steps=7), None, 7),
        (Phase(epochs=1), 128, 2),
        (Phase(epochs=1), 191, 2),
        (Phase(epochs=2, batch=10), 95, 18),
        (Phase(epochs=0.7), 640, 7),
        (Phase(epochs=1), None, None),
    ],
)
def test_steps_and_epochs(phase, examples, steps):
    expected = None if steps is None else (steps,)

    assert phase_steps(Recipe((phase,)), examples, 64) == expected


def test_a_limit_cuts_examples_first_and_then_each_phase_to_its_share():
    recipe = Recipe((Phase(epochs=1), Phase(steps=100)))

    assert phase_steps(recipe, 6400, 64, Limit(examples=128)) == (2, 100)
    assert phase_steps(recipe, 6400, 64, Limit(steps=10)) == (5, 5)
    assert phase_steps(recipe, 640, 64, Limit(steps=11)) == (1, 10)
    assert phase_steps(recipe, 6400, 64, Limit(steps=1)) == (1, 1)
    assert phase_steps(recipe, 6400, 64, Limit(steps=1000)) == (100, 100)


def test_the_engine_takes_the_steps_that_were_planned():
    from harness.train.order import steps_per_epoch

    for examples, batch in ((1797, 64), (10, 64), (640, 64)):
        planned = phase_steps(Recipe((Phase(epochs=3),)), examples, batch)
        assert planned == (3 * steps_per_epoch(examples, batch),)
