"""What this machine offers to workers, found without importing torch."""

import os
import sys
from pathlib import Path

from harness.api.errors import HarnessError

GPU_SIGNS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""A worker's environment: several threads per worker under load are slower than one."""


def cores() -> int:
    """Cores that this process may use: its affinity, and a container's limit rounded up."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    try:
        quota, period = CGROUP_LIMIT.read_text().split()
    except (OSError, ValueError):
        return count
    if quota == "max":
        return count
    return max(1, min(count, -(-int(quota) // int(period))))


def may_have_gpus() -> bool:
    """Whether it is worth asking torch (in a child process) how many GPUs there are."""
    return any(Path(sign).exists() for sign in GPU_SIGNS)


def gpu_environment(worker: int, gpus: int) -> dict[str, str]:
    """Environment that shows worker number `worker` one GPU of `gpus`, taking turns."""
    visible = [
        v.strip() for v in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if v.strip()
    ]
    names = visible or [str(index) for index in range(gpus)]
    return {"CUDA_VISIBLE_DEVICES": names[worker % len(names)]} if names else {}


def require(device: str, gpus: int) -> None:
    """Refuse a device that is not there, before any cell fails of it."""
    if device.startswith("cuda"):
        there = int(device.partition(":")[2] or 0) < gpus
    else:
        there = device != "mps" or sys.platform == "darwin"
    if not there:
        raise HarnessError(f"this machine has no device {device!r}", fix="choose auto or cpu")
