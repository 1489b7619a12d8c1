"""What running a suite costs besides the work itself: two workers against one, and starting again.

`python benchmarks/running.py` prints the figures; `measure()` gives them. Every run is the command
in a process of its own, read back from its journal.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from plan_and_store import fill_store, write_suite

SUITE = """
id: equal
version: "1"
model: {cnn: {width: 16}}
data: {dataset: digits, batch: 64}
inits: [random]
methods: [{full: {steps: 200}}]
seeds: {pretrain: 6, finetune: 4}
scores: [accuracy]
"""
"""24 equal trainings; `quick` has 40 of half the length."""


def measure() -> dict[str, float]:
    """Seconds, and how many times faster two workers train than one process."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        suite = place / "equal.yaml"
        suite.write_text(SUITE)
        serial = training_seconds(suite, place / "serial", "--executor", "serial")
        processes = training_seconds(suite, place / "processes", "--workers", "2")
        run(suite, place / "processes", "--workers", "2")  # makes the report
        again, first_line = run(suite, place / "processes", "--workers", "2")
        many = write_suite(place, 10_000)
        fill_store(many, place / "many")
        many_again, _ = run(many, place / "many", "--no-report")
        return {
            "serial_training_seconds": serial,
            "two_processes_training_seconds": processes,
            "two_processes_speedup": serial / processes,
            "first_line_seconds": first_line,
            "finished_suite_again_seconds": again,
            "finished_10000_cells_again_seconds": many_again,
        }


def training_seconds(suite: Path, store: Path, *options: str) -> float:
    """From the first training that starts to the last that finishes, run apart (no stacks)."""
    run(suite, store, "--no-report", "--pack", "1", *options)
    times = []
    for line in (store / "suites" / "equal-1" / "journal.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry.get("key", "").startswith("finetune"):
            times.append(datetime.fromisoformat(entry["when"]))
    return (max(times) - min(times)).total_seconds()


def run(suite: Path, store: Path, *options: str) -> tuple[float, float]:
    """Seconds that the command took, and seconds until its first line."""
    command = [sys.executable, "-m", "harness.cli", "run", str(suite), "--store", str(store)]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--device", "cpu", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    first_line = time.perf_counter() - started
    rest = process.stdout.read()
    if process.wait() != 0:
        raise RuntimeError(f"{command} failed: {rest}")
    return time.perf_counter() - started, first_line


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
