"""Masked language modelling of a small encoder: our loop, and one by hand on transformers' model.

`tiny-bert` (4 layers of 256 units) in 30,522 word pieces on CoLA's sentences, batches of 32. By
hand every place is predicted, as `BertForMaskedLM` does; ours predicts the hidden ones.
"""

from __future__ import annotations

import os
import sys

from text_scene import cola_folder
from turns import clock_ratio, in_turns, ratio

OURS, HAND = "text_ways:ours_masked", "text_ways:by_hand_masked"


def measure(steps: int = 10, turns: int = 8) -> dict[str, object]:
    """All figures by name, or why there are none."""
    path = cola_folder()
    if path is None:
        return {"skipped": "SEEDSCAPE_DATA names no folder with cola"}
    ways = in_turns((OURS, HAND), {"path": str(path)}, threads=1, steps=steps, turns=turns)
    mine, theirs = ways[OURS], ways[HAND]
    return {
        "steps_a_turn": steps,
        "turns": turns,
        "ours_samples_per_second": mine.rate,
        "by_hand_samples_per_second": theirs.rate,
        "times_by_hand": ratio(mine, theirs),
        "times_by_hand_by_the_clock": clock_ratio(mine, theirs),
        "ours_peak_mib": mine.peak,
        "memory_over_by_hand": mine.peak / theirs.peak,
        "load_at_the_end": os.getloadavg()[0],
    }


if __name__ == "__main__":
    for name, value in measure(*(int(word) for word in sys.argv[1:])).items():
        print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
