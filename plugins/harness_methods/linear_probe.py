"""Training of the head on frozen features."""

from harness.api.data import Outline
from harness.api.offers import Method
from harness.api.recipes import Recipe
from harness.api.settings import setting
from harness_methods.training import LINEAR_PROBE_PAPER, TrainingSettings, recipe_of


class LinearProbeSettings(TrainingSettings):
    """How long, with which optimizer, and what is kept."""

    lr: float = setting(1e-2, "learning rate after warm-up", gt=0)
    weight_decay: float = setting(0.0, "not applied to biases and norms", ge=0)


def recipe(settings: LinearProbeSettings, outline: Outline) -> Recipe:
    """One phase in which the head trains; the body runs as in evaluation."""
    return recipe_of(settings, "head")


LINEAR_PROBE = Method(
    name="linear-probe",
    about="the head alone trains, on frozen features",
    source=LINEAR_PROBE_PAPER,
    settings=LinearProbeSettings,
    recipe=recipe,
)
