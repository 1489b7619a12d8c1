"""Run the benchmarks: `python benchmarks/run.py [NAME ...]`.

Each compares with a peer or a hand-written baseline in the same run and prints the ratio. Results
go to `benchmarks/results/NAME.json` with machine, versions and date. One thread unless stated.
"""

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

BENCHMARKS = {
    "startup": ("startup", "measure"),
    "plan_and_store": ("plan_and_store", "measure"),
    "training": ("training", "serial_against_hand_written"),
    "stack": ("training", "stacked_against_one_by_one"),
    "text_training": ("text_training", "measure"),
    "text_pretraining": ("text_pretraining", "measure"),
    "text_landscape": ("text_landscape", "measure"),
    "text_reading": ("text_reading", "measure"),
    "text_gpu": ("text_gpu", "measure"),
    "running": ("running", "measure"),
    "scores": ("scores", "measure"),
    "measuring": ("measuring", "measure"),
    "derivatives": ("derivatives", "measure"),
    "peers": ("peers", "measure"),
    "planes": ("planes", "measure"),
    "metric_costs": ("metric_costs", "measure"),
    "bootstrap": ("bootstrap", "measure"),
    "false_positives": ("false_positives", "measure"),
    "partial_false_positives": ("partial_false_positives", "measure"),
}
PACKAGES = (
    *("seedscape", "torch", "numpy", "pandas", "evaluate", "pydantic"),
    *("loss-landscapes", "pyhessian"),
    *("transformers", "tokenizers", "accelerate"),
)


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "date": date.today().isoformat(),
    }


def processor() -> str:
    """The processor's name as the kernel gives it, where there is such a file."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def version(package: str) -> str:
    """The installed version, or `absent`."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def main(names: list[str]) -> int:
    """Run the named benchmarks (all without a name), print and store their figures."""
    for name in names or list(BENCHMARKS):
        if name not in BENCHMARKS:
            print(f"error: no benchmark '{name}'; there are {', '.join(BENCHMARKS)}")
            return 2
        module, function = BENCHMARKS[name]
        measure: Callable[[], Mapping[str, object]] = getattr(import_module(module), function)
        figures = dict(measure())
        print(f"\n{name}")
        for key, value in figures.items():
            print(f"  {key}: {value:.4g}" if isinstance(value, float) else f"  {key}: {value}")
        folder = HERE / "results"
        folder.mkdir(exist_ok=True)
        record = {"benchmark": name, "figures": figures, "machine": machine()}
        (folder / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
