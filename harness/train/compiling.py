"""A module through `torch.compile`, where the user asks for it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.train.course import Course


def forward_of(module: nn.Module, course: Course) -> Callable[..., Any]:
    """How the module of a run alone is called: as it is, or compiled; whatever it returns.

    Dropout from streams is compiled with it. Lengths of text are left open, so that not every
    batch compiles anew; numbers such as dropout rates are not.

    Raises:
        HarnessError: it cannot be compiled (the function that is returned raises it too).
    """
    if not course.compiled:
        return module
    name = course.work.model.name
    if course.network.recomputed:
        raise HarnessError(
            f"the model {name!r} computes activations again, which is not compiled",
            fix="leave out `--compile`, or the model's gradient checkpointing",
        )
    faster = torch.compile(module, dynamic=True if course.split.packed is not None else None)
    from torch._dynamo import config  # noqa: PLC0415  # takes seconds to import
    from torch._dynamo.exc import TorchDynamoException  # noqa: PLC0415

    def forward(**inputs: Any) -> Any:  # whatever the module takes and gives
        try:
            with config.patch(specialize_float=True):
                return faster(**inputs)
        except TorchDynamoException as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise HarnessError(
                f"the model {name!r} cannot be compiled here: {said[0]}",
                fix="leave out `--compile` (a C++ compiler is needed on CPUs, Triton on GPUs)",
            ) from error

    return forward
