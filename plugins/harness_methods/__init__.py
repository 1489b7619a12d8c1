"""Built-in ways of training."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Method
from harness_methods.full import FULL
from harness_methods.linear_probe import LINEAR_PROBE


@hookimpl
def harness_methods() -> Iterable[Method]:
    """Methods by name."""
    return (FULL, LINEAR_PROBE)
