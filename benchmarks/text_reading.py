"""Reading 400,000 pairs of sentences: from a file to tokens on disk, and a second time.

Each in a process of its own, for its memory: `hold` is what is held when all packages are loaded
and a hundred pairs were read. Texts are made up, of the length of MNLI's.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from turns import peak

PAIRS = 400_000
WORDS = 16


def measure(pairs: int = PAIRS) -> dict[str, object]:
    """Seconds and memory."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with tempfile.TemporaryDirectory() as folder:
        for count in (100, pairs):
            _alone(_write, folder, count)
        size = (Path(folder) / f"{pairs}.parquet").stat().st_size
        small = _alone(_read, folder, 100)
        first = _alone(_read, folder, pairs)
        again = _alone(_read, folder, pairs)
    return {
        "pairs": pairs,
        "file_mib": size / 1024**2,
        "tokens": first["tokens"],
        "tokens_mib": first["bytes"] / 1024**2,
        "processor_seconds": first["seconds"],
        "pairs_per_second": pairs / first["seconds"],
        "hold_mib": small["peak"],
        "peak_above_hold_mib": first["peak"] - small["peak"],
        "again_seconds": again["seconds"],
        "again_peak_above_hold_mib": again["peak"] - small["peak"],
        "load_at_the_end": os.getloadavg()[0],
    }


def _alone(
    work: Callable[[str, int], dict[str, float]], folder: str, count: int
) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (folder, count))


def _write(folder: str, count: int) -> dict[str, float]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    chance = np.random.default_rng(0)
    known = np.array(["".join(chance.choice(list("etaoinshrdlu"), 5)) for _ in range(5000)])
    columns = {
        name: pa.array([" ".join(row) for row in known[chance.integers(0, 5000, (count, WORDS))]])
        for name in ("premise", "hypothesis")
    }
    columns["label"] = pa.array(chance.integers(0, 3, count))
    pq.write_table(pa.table(columns), Path(folder) / f"{count}.parquet")
    return {}


def _read(folder: str, count: int) -> dict[str, float]:
    from text_scene import bench_at, minilm

    from harness.api.cells import SplitUse, Use

    settings = {
        "path": f"{folder}/{count}.parquet",
        "text": {"premise": "premise", "hypothesis": "hypothesis"},
        "label": "label",
        "id": {"test": f"{folder}/100.parquet"},
    }
    use = Use("dataset", "text", "text", settings, "0", ("path", "id"))
    started = time.process_time()
    split = bench_at(f"{folder}/store").split(SplitUse("train", use, "", "train"), None, minilm())
    seconds = time.process_time() - started
    assert split.packed is not None
    return {
        "seconds": seconds,
        "peak": peak(),
        "tokens": float(split.packed.offsets[-1]),
        "bytes": float(split.packed.nbytes),
    }


if __name__ == "__main__":
    import sys

    for key, value in measure(*(int(word) for word in sys.argv[1:])).items():
        print(f"{key}: {value:.4g}" if isinstance(value, float) else f"{key}: {value}")
