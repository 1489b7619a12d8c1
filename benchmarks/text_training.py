"""Fine-tuning a real encoder on CoLA: our loop, a hand-written one, and the Hugging Face Trainer.

The encoder is MiniLM (22.7 million parameters), batches of 32, AdamW, dropout on. By hand:
batches of like length, as ours; the Trainer pads shuffled batches, as it does by default. Samples
per second of processor time, ratios also by the clock; memory is each process's peak, packages and
all.
"""

from __future__ import annotations

import os
import sys

from text_scene import cola_folder
from turns import clock_ratio, in_turns, ratio

OURS, HAND, FUSED, TRAINER = (
    f"text_ways:{name}" for name in ("ours", "by_hand", "by_hand_fused", "by_trainer")
)


def measure(steps: int = 20, turns: int = 8) -> dict[str, object]:
    """All figures by name, or why there are none."""
    path = cola_folder()
    if path is None:
        return {"skipped": "SEEDSCAPE_DATA names no folder with cola"}
    found: dict[str, object] = {"steps_a_turn": steps, "turns": turns}
    for threads in (1, 2):
        ways = in_turns(
            (OURS, HAND, FUSED, TRAINER),
            {"path": str(path)},
            threads=threads,
            steps=steps,
            turns=turns,
        )
        mine = ways.pop(OURS)
        place = f"{threads}_threads" if threads > 1 else "1_thread"
        found[f"{place}.ours_samples_per_second"] = mine.rate
        found[f"{place}.ours_peak_mib"] = mine.peak
        for name, way in ways.items():
            short = name.partition(":")[2]
            found[f"{place}.{short}_samples_per_second"] = way.rate
            found[f"{place}.times_{short}"] = ratio(mine, way)
            found[f"{place}.times_{short}_by_the_clock"] = clock_ratio(mine, way)
            found[f"{place}.memory_over_{short}"] = mine.peak / way.peak
    found["load_at_the_end"] = os.getloadavg()[0]
    return found


if __name__ == "__main__":
    for name, value in measure(*(int(word) for word in sys.argv[1:])).items():
        print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
