"""Where and with what cells run, worked out once per process."""

import contextlib
import platform
import resource
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from harness.api.results import Machine

PACKAGES = (
    "seedscape",
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "evaluate",
    "pandas",
    "pyarrow",
    "safetensors",
    "pydantic",
    "transformers",
)


def machine_of(device: torch.device, git_commit: str | None, git_dirty: bool | None) -> Machine:
    """Versions, hardware and the state of the user's working folder."""
    return Machine(
        python=platform.python_version(),
        packages={name: found for name in PACKAGES if (found := _version(name)) is not None},
        platform=platform.platform(),
        processor=_processor(),
        device=_device(device),
        threads=torch.get_num_threads(),
        git_commit=git_commit,
        git_dirty=git_dirty,
    )


def reset_peak(device: torch.device) -> None:
    """Start counting peak memory anew, where the system allows it."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with contextlib.suppress(OSError):  # elsewhere the peak is that of the process so far
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes(device: torch.device) -> int:
    """Peak memory since the reset: of the device where it has its own, else of the process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
