"""Training of all weights: fine-tuning, or training from scratch where the start is random."""

from harness.api.data import Outline
from harness.api.offers import Method
from harness.api.recipes import Recipe
from harness_methods.training import TrainingSettings, recipe_of


class FullSettings(TrainingSettings):
    """How long, with which optimizer, and what is kept."""


def recipe(settings: FullSettings, outline: Outline) -> Recipe:
    """One phase in which everything trains."""
    return recipe_of(settings, "all")


FULL = Method(
    name="full",
    about="all weights train: fine-tuning, or from scratch after a random start",
    settings=FullSettings,
    recipe=recipe,
)
