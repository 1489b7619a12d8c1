"""The multi-bootstrap of 2 procedures x 25 seeds x 5 fine-tunings x 9,815 examples, one thread.

The baseline is what one writes first: for every replicate draw seeds and examples, score each run
on them, average. It is timed on a few replicates.
"""

import resource
import time

import numpy as np
from numpy.typing import NDArray

from harness.statistics.multibootstrap import Arm, multi_bootstrap
from harness.statistics.resampling import MULTIBERTS, Grid, Levels

SEEDS, RUNS, EXAMPLES = 25, 5, 9815
REPLICATES, TIMED = 10_000, 40


def arms() -> list[Arm]:
    """Two procedures whose accuracies differ by .007."""
    generator = np.random.default_rng(0)
    grid = Grid(
        tuple(np.repeat(range(SEEDS), RUNS).tolist()), tuple(np.tile(range(RUNS), SEEDS).tolist())
    )
    easy = 0.8 + 0.1 * generator.random(EXAMPLES)
    shape = (SEEDS * RUNS, EXAMPLES)
    return [
        Arm(grid, (generator.random(shape) < easy + gain).astype(np.float32))
        for gain in (0.0, 0.007)
    ]


def plain(both: list[Arm], replicates: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """The loop over replicates, seeds and runs: labels compared and averaged run by run."""
    found = np.empty((2, replicates))
    truth = np.ones(EXAMPLES)
    for replicate in range(replicates):
        seeds = generator.integers(0, SEEDS, SEEDS)
        examples = generator.integers(0, EXAMPLES, EXAMPLES)
        for place, arm in enumerate(both):
            of_seed = []
            for seed in seeds:
                rows = arm.values[RUNS * seed : RUNS * (seed + 1)]
                of_seed.append(np.mean([np.mean(row[examples] == truth[examples]) for row in rows]))
            found[place, replicate] = np.mean(of_seed)
    return found


def measure() -> dict[str, float]:
    """Seconds, the ratio, and how the two agree."""
    both = arms()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = {}
    for name, levels in (("multiberts", MULTIBERTS), ("all_levels", Levels())):
        started = time.process_time()
        draws = multi_bootstrap(both, REPLICATES, np.random.default_rng(1), levels=levels)
        seconds[name] = time.process_time() - started
        if name == "multiberts":
            ours = draws.difference().standard_error()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    started = time.process_time()
    theirs = plain(both, TIMED, np.random.default_rng(2))
    loop = (time.process_time() - started) * REPLICATES / TIMED
    return {
        "seconds_multiberts": seconds["multiberts"],
        "seconds_all_levels": seconds["all_levels"],
        "plain_loop_seconds_extrapolated": loop,
        "faster": loop / seconds["multiberts"],
        "standard_error": ours,
        "standard_error_of_the_loop": float((theirs[1] - theirs[0]).std(ddof=1)),
        "memory_grown_mb": grown,
    }


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key:40} {value:10.4g}")
