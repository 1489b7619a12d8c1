"""What the built-in networks take: one input, whatever it is called."""

from harness.api.contexts import BuildRoom
from harness.api.data import InputSpec
from harness.api.errors import HarnessError


def only_input(room: BuildRoom, model: str) -> InputSpec:
    """The task's only input."""
    if len(room.inputs) != 1:
        raise HarnessError(
            f"it takes one input, but the data have {', '.join(room.inputs)}",
            where=f"model {model!r}",
        )
    return next(iter(room.inputs.values()))


def only_image(room: BuildRoom, model: str, *, smallest: int) -> InputSpec:
    """The task's only input, which must be an image of at least `smallest` pixels a side."""
    spec = only_input(room, model)
    if len(spec.shape) != 3 or min(spec.shape[1:]) < smallest:
        raise HarnessError(
            f"it takes images of at least {smallest} x {smallest} pixels, "
            f"but the data have the shape {spec.shape}",
            where=f"model {model!r}",
        )
    return spec
