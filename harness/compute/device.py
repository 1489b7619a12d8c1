"""Where and how numbers are computed: the device, and the precision of forward passes."""

import contextlib
from collections.abc import Iterator

import torch

from harness.api.cells import PRECISIONS
from harness.api.errors import HarnessError


def choose_device(name: str = "auto") -> torch.device:
    """The named device, or the best there is: CUDA, then Apple's MPS, then the CPU."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise HarnessError(
            f"unknown device {name!r}", fix="choose auto, cpu, cuda, cuda:N or mps"
        ) from None
    missing = {
        "cuda": not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count(),
        "mps": not torch.backends.mps.is_available(),
    }
    if missing.get(device.type, False):
        raise HarnessError(f"this machine has no device {name!r}", fix="choose auto or cpu")
    return device


@contextlib.contextmanager
def autocast(precision: str, device: torch.device) -> Iterator[None]:
    """Forward passes in the named precision: "float32", or "bfloat16" by torch's autocast.

    float32 means float32: cuDNN's default of rounding convolutions to TF32 is off meanwhile, so
    that a pack of runs and a run alone agree to rounding.
    """
    if precision not in PRECISIONS:
        raise HarnessError(
            f"unknown precision {precision!r}", fix=f"choose {' or '.join(PRECISIONS)}"
        )
    if precision == "bfloat16":
        with torch.autocast(device.type, dtype=torch.bfloat16):
            yield
    elif device.type == "cuda":
        before = torch.backends.cudnn.allow_tf32
        torch.backends.cudnn.allow_tf32 = False
        try:
            yield
        finally:
            torch.backends.cudnn.allow_tf32 = before
    else:
        yield
