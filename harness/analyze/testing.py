"""Seeds against testing: how much of the spread between runs is the finite test set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.analyze.frames import Record
from harness.analyze.shares import Seeded
from harness.api.cells import Use
from harness.api.errors import HarnessError
from harness.api.offers import Score
from harness.evaluate.predictions import read_predictions
from harness.evaluate.single_examples import values_of
from harness.plug.catalogue import Catalogue
from harness.statistics.generalized import Design
from harness.statistics.sampling import Separated, separate, separate_runs

BLOCK = 2**21
"""Numbers of single examples that are taken apart at a time."""
Array = NDArray[np.float32]


@dataclass
class Separator:
    """Reads the predictions of a procedure on a split once, for all scores that are means.

    `files(key)` is the file of an evaluation's predictions, or None where there is none.
    """

    catalogue: Catalogue
    scores: Sequence[Use]
    files: Callable[[str], Path | None]
    _held: tuple[tuple[str, ...], Mapping[str, Array]] = field(default=((), {}), init=False)

    def apart(self, runs: Seeded) -> Mapping[str, object]:
        """Fields of a `VarianceShare`; nothing where predictions are missing or do not fit."""
        score = runs.rows[0]["score"]
        use = next((each for each in self._means() if each.label == score), None)
        values = self._values(runs.rows).get(score) if use is not None else None
        if values is None or values.shape[1] < 2:
            return {}
        if not np.allclose(values.mean(1, dtype=np.float64), runs.values, rtol=1e-4, atol=1e-6):
            return {}  # scored by another version of the score than the one at hand
        if not runs.full:
            return _told(separate_runs(values.astype(np.float64)), {})
        design: Design = "nested" if runs.design == "nested" else "crossed"
        parts = _in_blocks(values[runs.table()], design)
        whole = [sum(getattr(part, name) for part in parts.values())
                 for name in ("observed", "seeds", "testing")]  # fmt: skip
        return _told(Separated(*whole), parts)

    def _means(self) -> list[Use]:
        """The scores that are means over examples."""
        offers = ((use, self.catalogue.find("score", use.name).offer) for use in self.scores)
        return [use for use, o in offers if isinstance(o, Score) and o.each is not None]

    def _values(self, rows: Sequence[Record]) -> Mapping[str, Array]:
        """By score [runs, examples]; the last ones read are kept for the next score."""
        keys = tuple(row["key"] for row in rows)
        if self._held[0] == keys:
            return self._held[1]
        found: dict[str, list[Array]] = {use.label: [] for use in self._means()}
        try:
            for key in keys:
                path = self.files(key)
                if path is None:
                    raise HarnessError("no predictions")
                predictions = read_predictions(path)
                for use in self._means():
                    each = values_of(predictions, use, self.catalogue)
                    found[use.label].append(np.asarray(each, dtype=np.float32))
            held = {label: np.stack(listed) for label, listed in found.items()}
        except (HarnessError, ValueError, OSError):  # missing, damaged, or of different lengths
            held = {}
        self._held = keys, held
        return held


def _in_blocks(values: Array, design: Design) -> dict[str, Separated]:
    """`separate`, some examples at a time: the mean over examples is one of means over blocks."""
    a, b, examples = values.shape
    mean = values.mean(axis=-1, dtype=np.float64)
    observed = separate(np.stack([mean, mean], axis=-1), design)
    step = max(2, BLOCK // (a * b))
    starts = list(range(0, examples - 1, step))
    each = dict.fromkeys(observed, 0.0)
    for place, start in enumerate(starts):
        stop = examples if place + 1 == len(starts) else start + step
        size = stop - start
        block = values[..., start:stop].astype(np.float64)
        for name, part in separate(block, design).items():
            each[name] += (part.observed + part.testing * (size - 1)) * size / examples
    return {
        name: Separated(whole.observed, whole.observed - testing, testing)
        for name, whole in observed.items()
        for testing in ((each[name] - whole.observed) / (examples - 1),)
    }


def _told(whole: Separated, parts: Mapping[str, Separated]) -> Mapping[str, object]:
    if whole.observed <= 0:
        return {}
    told: dict[str, object] = {
        "testing": min(1.0, max(0.0, whole.testing / whole.observed)),
        "seeds_sd": max(0.0, whole.seeds) ** 0.5,
    }
    left = {name: max(0.0, part.seeds) for name, part in parts.items()}
    if sum(left.values()) > 0:
        for name in ("pretrain", "finetune"):
            told[f"{name}_alone"] = left[name] / sum(left.values())
    return told
