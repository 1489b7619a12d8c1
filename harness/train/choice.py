"""Which pack size to train with, once they are timed; imports no torch."""

import math
from collections.abc import Mapping


def choose_pack(timings: Mapping[str, float], seeds: int, workers: int) -> int:
    """The pack size that finishes `seeds` runs first on `workers` that work at the same time.

    With m = ceil(seeds / size) packs, balanced, the time is ceil(m / workers) packs' worth of
    steps. Ties go to the smaller pack, which loses less when a worker dies.

    >>> choose_pack({"1": 1.0, "2": 0.7}, seeds=2, workers=2)
    1
    >>> choose_pack({"1": 1.0, "2": 0.4}, seeds=2, workers=2)
    2
    >>> choose_pack({"1": 1.0, "2": 0.5, "4": 0.3, "8": 0.2}, seeds=8, workers=1)
    8
    """

    def makespan(size: int) -> tuple[float, int]:
        packs = math.ceil(seeds / size)
        rounds = math.ceil(packs / max(workers, 1))
        return rounds * math.ceil(seeds / packs) * timings[str(size)], size

    sizes = [int(size) for size in timings if int(size) <= seeds]
    return min(sizes, key=makespan, default=1)
