"""How long planning and looking into a store take, and how much memory a large plan needs.

`measure()` gives the figures; run as a script it prints them. Every figure comes from a process of
its own, so that peak memory is that of the thing measured.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from harness.api.cells import Cell
from harness.api.results import CellRecord, Machine, Scored, Trained
from harness.plan import expand, identity_of
from harness.store import Store, paths
from harness.suite import open_suite

SUITE = """
id: many
version: "1"
model: cnn
data:
  dataset: digits
  batch: 64
  ood:
    rotation-30: {{by: {{rotation: {{degrees: 30}}}}}}
    rotation-60: {{by: {{rotation: {{degrees: 60}}}}}}
inits: [random]
methods: [{{full: {{steps: 100}}}}]
seeds: {{pretrain: {pretrain}, finetune: {finetune}}}
scores: [accuracy, nll]
metrics: [{{barrier: {{}}, pairs: 100}}]
"""
"""Per run one training and four evaluations (val, test, two OOD), and a hundred pairs."""

CELLS = {10_000: (20, 100), 100_000: (200, 100)}
WEIGHTS = 100_000
PREDICTIONS = 12_000


def write_suite(folder: Path, cells: int) -> Path:
    """A suite of about so many cells."""
    pretrain, finetune = CELLS[cells]
    path = folder / f"many-{cells}.yaml"
    path.write_text(SUITE.format(pretrain=pretrain, finetune=finetune))
    return path


def plan_of(path: Path) -> dict[str, float]:
    """Seconds of expanding a suite, and the peak memory of the process in megabytes."""
    suite, catalogue = open_suite(str(path))
    begun = time.perf_counter()
    plan = expand(suite, catalogue)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if _on_linux() else 1024**2)
    return {"cells": len(plan.cells), "seconds": seconds, "peak_megabytes": peak}


def fill_store(path: Path, root: Path) -> None:
    """Finish every cell of a suite with files of about the size that `quick` has."""
    suite, catalogue = open_suite(str(path))
    plan = expand(suite, catalogue)
    store = Store(root)
    for cell in plan.cells:
        name, size = {
            "finetune": (paths.WEIGHTS, WEIGHTS),
            "evaluate": (paths.PREDICTIONS, PREDICTIONS),
        }.get(cell.stage.value, (paths.LOG, 10))
        content = os.urandom(size)
        store.write(_record(cell), {name: lambda file, c=content: file.write_bytes(c) and None})
    store.save_suite(plan, suite.text)


def survey_of(path: Path, root: Path) -> dict[str, float]:
    """Seconds of looking at every cell of a finished store."""
    suite, catalogue = open_suite(str(path))
    cells = expand(suite, catalogue).cells
    begun = time.perf_counter()
    done = len(Store(root).survey(cells).done)
    return {"done": done, "seconds": time.perf_counter() - begun}


def measure() -> dict[str, float]:
    """Seconds and megabytes by name."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for cells in CELLS:
            told = _apart("plan", write_suite(folder, cells))
            figures[f"plan of {told['cells']:,} cells, seconds"] = told["seconds"]
            figures[f"plan of {told['cells']:,} cells, peak megabytes"] = told["peak_megabytes"]
        path, root = write_suite(folder, 10_000), folder / "runs"
        _apart("fill", path, root)
        told = _apart("survey", path, root)
        figures[f"survey of {told['done']:,} finished cells, seconds"] = told["seconds"]
        for command in ("plan", "status"):
            line = [sys.executable, "-m", "harness.cli", command, str(path), "--store", str(root)]
            begun = time.perf_counter()
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - begun
            figures[f"`{command}` on {told['done']:,} finished cells, seconds"] = seconds
    return figures


def _apart(what: str, *arguments: Path) -> dict[str, float]:
    line = [sys.executable, __file__, what, *map(str, arguments)]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _record(cell: Cell) -> CellRecord:
    trained = Trained(steps=100, examples_seen=6400, loss_steps=list(range(50)), losses=[0.5] * 50)
    scored = Scored(split="test", examples=360, unscorable=0, scores={"accuracy": 0.9, "nll": 0.3})
    return CellRecord(
        key=cell.key,
        stage=cell.stage,
        identity=identity_of(cell),
        parents=list(cell.parents),
        result=trained if cell.stage == "finetune" else scored,
        settings={"model": {"name": "cnn", "width": 16}},
        plugins=[],
        machine=Machine(
            python="3.11", packages={}, platform="", processor="", device="cpu", threads=1
        ),
        precision="float32",
        smoke=False,
        started=datetime.now(UTC),
        wall_seconds=1.0,
        peak_bytes=0,
    )


def _on_linux() -> bool:
    return sys.platform.startswith("linux")


def main(arguments: list[str]) -> None:
    """Print all figures; with arguments, do one thing for `measure` and print its figures."""
    match arguments:
        case []:
            for name, figure in measure().items():
                print(f"{name}: {figure:.2f}")
        case ["plan", path]:
            print(json.dumps(plan_of(Path(path))))
        case ["fill", path, root]:
            fill_store(Path(path), Path(root))
            print("{}")
        case ["survey", path, root]:
            print(json.dumps(survey_of(Path(path), Path(root))))


if __name__ == "__main__":
    main(sys.argv[1:])
