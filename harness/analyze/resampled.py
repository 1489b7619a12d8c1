"""From stored predictions to what the multi-bootstrap draws from."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from harness.analyze.comparable import NotComparable
from harness.analyze.contenders import Contender, Gathered
from harness.api.cells import Seeds
from harness.api.errors import HarnessError
from harness.evaluate.predictions import Array, Predictions, read_predictions
from harness.evaluate.scoring import value_of
from harness.evaluate.single_examples import values_of
from harness.plug.uses import offer_from
from harness.statistics.multibootstrap import Arm
from harness.statistics.resampling import Grid
from harness.store import paths

AGREEMENT = 1e-5  # terms are kept in float32
MOST = 2 << 30
"""Bytes of one procedure's numbers on one split: a score with many terms can have too many."""


def made_of_examples(contender: Contender, score: str) -> bool:
    """Whether the score says how it is made of single examples; else drawing them takes long."""
    offer = offer_from(contender.score(score), contender.catalogue)[0]
    return offer.each is not None or offer.terms is not None


def grid_of(seeds: Sequence[Seeds]) -> Grid:
    """The seeds of runs, those of data orders where they are split from the fine-tuning seeds."""
    split = any(one.order is not None for one in seeds)
    return Grid(
        tuple(one.pretrain for one in seeds),
        tuple(one.finetune or 0 for one in seeds),
        tuple(one.order or 0 for one in seeds) if split else (),
    )


def arms_of(
    gathered: Sequence[Gathered],
    chosen: Sequence[tuple[Seeds, ...]],
    split: str,
    score: str,
    *,
    examples: bool,
) -> list[Arm]:
    """One arm per contender: numbers of every run and example, or the runs' scores alone.

    Without `examples` to draw no predictions are read.

    Raises:
        NotComparable: two contenders were scored on other examples.
        HarnessError: predictions cannot be read, or do not give the stored score.
    """
    arms = []
    before: list[Array] | None = None
    for each, seeds in zip(gathered, chosen, strict=True):
        stored = np.array([each.results[split][one].value for one in seeds], dtype=np.float64)
        if not examples:
            arms.append(Arm(grid_of(seeds), stored[:, None]))
            continue
        reader = _Reader(each, split, score, before)
        if made_of_examples(each.contender, score):
            values = np.stack(list(reader.values(seeds)), axis=-2)
            arm = Arm(grid_of(seeds), values, reader.combine)
            _check(arm, stored, score)
        else:
            again = reader.again(seeds)
            same = np.broadcast_to(stored[:, None], (len(seeds), reader.count))
            arm = Arm(grid_of(seeds), same, again=again)
            _check(arm, again(np.ones((1, reader.count), dtype=np.float32))[:, 0], score)
        before = reader.examples
        arms.append(arm)
    return arms


class _Reader:
    """Reads the predictions of a contender, and holds them against the examples of the first."""

    def __init__(
        self, gathered: Gathered, split: str, score: str, examples: list[Array] | None
    ) -> None:
        self._gathered, self._split = gathered, split
        contender = gathered.contender
        self._use = contender.score(score)
        offer, settings = offer_from(self._use, contender.catalogue)
        self.examples = examples
        self.combine = partial(offer.terms.combine, settings) if offer.terms else None
        if offer.each:
            self.combine = None

    @property
    def count(self) -> int:
        """How many examples there are."""
        assert self.examples is not None  # something was read
        return len(self.examples[0])

    def again(self, seeds: Sequence[Seeds]) -> Callable[[Array], Array]:
        """From how often each example is drawn [b, n] to the score of every run: [runs, b].

        A draw in which a score cannot be computed gives NaN there.
        """
        kept = [self._read(one) for one in seeds]
        offer, settings = offer_from(self._use, self._gathered.contender.catalogue)

        def scores(counts: Array) -> Array:
            found = np.empty((len(kept), len(counts)))
            for place, row in enumerate(counts):
                chosen = np.repeat(np.arange(row.size), row.astype(np.int64))
                for run, predictions in enumerate(kept):
                    try:
                        found[run, place] = value_of(predictions.taken(chosen), offer, settings)
                    except ValueError:
                        found[run, place] = np.nan
            return found

        return scores

    def _read(self, one: Seeds) -> Predictions:
        """A run's predictions, on the examples of the first."""
        contender = self._gathered.contender
        key = self._gathered.results[self._split][one].key
        predictions = read_predictions(contender.store.path(key, paths.PREDICTIONS))
        ours = [predictions.targets]
        for column in (predictions.examples, predictions.groups):
            ours.append(np.empty(0) if column is None else column)
        self._same(ours)
        return predictions

    def values(self, seeds: Sequence[Seeds]) -> Iterator[Array]:
        """Numbers [n] or [terms, n] of every run."""
        for one in seeds:
            predictions = self._read(one)
            found = values_of(predictions, self._use, self._gathered.contender.catalogue)
            kept = found.astype(np.float64 if found.ndim == 1 else np.float32)
            if kept.nbytes * len(seeds) > MOST:
                raise HarnessError(
                    f"score '{self._use.label}' makes {kept.nbytes * len(seeds) / 2**30:.0f} GiB "
                    f"of the {len(seeds)} runs of {self._gathered.label} on {self._split}",
                    fix="hold examples fixed: --levels pretrain,finetune",
                )
            yield kept

    def _same(self, ours: list[Array]) -> None:
        if self.examples is None:
            self.examples = ours
        pairs = zip(ours, self.examples, strict=True)
        if not all(np.array_equal(a, b) for a, b in pairs):
            sizes = f"{len(ours[0]):,} and {len(self.examples[0]):,}"
            raise NotComparable(
                [
                    f"{self._gathered.label} was scored on other examples of {self._split} "
                    f"than the procedures before it ({sizes} of them)"
                ]
            )


def _check(arm: Arm, stored: Array, score: str) -> None:
    apart = np.abs(arm.scores() - stored) / np.maximum(1.0, np.abs(stored))
    if apart.max() > AGREEMENT:
        place = int(apart.argmax())
        raise HarnessError(
            f"the examples' numbers of score '{score}' give {arm.scores()[place]:.6g} "
            f"where {stored[place]:.6g} is stored",
            fix="its `each` or `terms` is not the score that it computes: tell its author",
        )
