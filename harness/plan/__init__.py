"""From a suite to the frozen graph of its cells, before anything starts."""

from harness.plan.expand import expand
from harness.plan.identity import identity_of, key_of, predictions_prefix
from harness.plan.steps import phase_steps

__all__ = ["expand", "identity_of", "key_of", "phase_steps", "predictions_prefix"]
