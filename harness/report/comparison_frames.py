"""A comparison as frames: plain numbers for programs, text for a paper."""

import pandas as pd

from harness.api.comparisons import Comparison, PairTest, SplitComparison
from harness.report.comparison import pairs_table


def pairs_frame(found: Comparison) -> pd.DataFrame:
    """One row per split and pair, with plain numbers."""
    rows = [
        {
            "score": found.score,
            "split": split.split,
            "kind": split.kind,
            "examples": split.examples,
            **_of_arms(split, pair),
            **pair.model_dump(),
            "confidence": found.confidence,
            "method": found.method,
            "replicates": found.replicates,
            "seed": found.seed,
            "smoke": found.smoke,
        }
        for split in found.splits
        for pair in split.pairs
    ]
    return pd.DataFrame(rows)


def text_frame(found: Comparison) -> pd.DataFrame:
    """The table of pairs as text, for a paper."""
    headers, rows = pairs_table(found)
    frame = pd.DataFrame(rows)
    frame.columns = pd.Index(headers)
    return frame


def _of_arms(split: SplitComparison, pair: PairTest) -> dict[str, float | None]:
    arms = {arm.label: arm for arm in split.arms}
    found: dict[str, float | None] = {}
    for side, label in (("first", pair.first), ("second", pair.second)):
        arm = arms[label]
        found |= {f"{side}_mean": arm.mean, f"{side}_low": arm.low, f"{side}_high": arm.high}
    return found
