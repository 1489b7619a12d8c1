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
        (Phase(epochs=1), 129, 3),
        (Phase(epochs=2, batch=10), 95, 20),
        (Phase(epochs=0.5), 192, 2),
        (Phase(epochs=1), None, None),
    ],
)
def test_steps_and_epochs(phase, examples, steps):
    expected = None if steps is None else (steps,)

    assert phase_steps(Recipe((phase,)), examples, 64) == expected


def test_a_limit_cuts_examples_first_and_then_each_phase_to_its_share():
    recipe = Recipe((Phase(epochs=1), Phase(steps=100)))

    assert phase_steps(recipe, 6400, 64, Limit(examples=128)) == (2, 100)
    assert phase_steps(recipe, 6400, 64, Limit(examples=6400, steps=10)) == (5, 5)
    assert phase_steps(recipe, 6400, 64, Limit(steps=1)) == (1, 1)
