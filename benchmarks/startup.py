"""Start-up: `seedscape --help` against an empty interpreter and against importing torch."""

import subprocess
import sys
import time
from statistics import median


def seconds(*command: str, repeats: int = 7) -> float:
    """Median wall time of a command, its output thrown away."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    return median(times)


def measure() -> dict[str, float]:
    """Seconds of `--help` (budget 0.35 on the development machine), and of its two baselines."""
    help_seconds = seconds(sys.executable, "-m", "harness.cli", "--help")
    empty = seconds(sys.executable, "-c", "pass")
    torch = seconds(sys.executable, "-c", "import torch", repeats=3)
    return {
        "help_seconds": help_seconds,
        "empty_interpreter_seconds": empty,
        "import_torch_seconds": torch,
        "ratio_to_import_torch": help_seconds / torch,
    }
