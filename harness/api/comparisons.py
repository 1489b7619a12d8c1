"""What a comparison of procedures says: the one source of every form that it is written in."""

from datetime import datetime
from typing import Literal

from harness.api.readings import Record

SCHEMA_VERSION = 1

Verdict = Literal["first", "second", "cannot tell", "not tested"]
Pairing = Literal["same weights", "same seeds", "none"]


class Contestant(Record):
    """One procedure as it takes part.

    `runs` of the `planned` ones are compared; `left_out` names the others as "pretrain seed/
    fine-tune seed". `diverged` counts the runs, among those compared, that diverged. `order_seeds`
    is 0 where the fine-tuning seed draws the data order.
    """

    label: str
    procedure: str
    suite: str
    version: str
    store: str
    plan_digest: str
    planned: int
    runs: int
    pretrain_seeds: int
    finetune_seeds: int
    design: str
    diverged: int = 0
    left_out: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    order_seeds: int = 0


class ArmSummary(Record):
    """A procedure's score on one split.

    `mean` is the mean over pretraining seeds of the means over their runs, with the ends of its
    interval (None for fewer than two seeds). `worst` is the worst run's score, and a quarter of the
    runs do as badly as `quartile` or worse. `unscorable` counts predictions over all runs.
    `lost_draws` counts draws on whose examples the score cannot be computed: the interval leaves
    them out, and where they are many there is none.
    """

    label: str
    mean: float
    low: float | None
    high: float | None
    worst: float
    worst_seeds: str
    quartile: float
    unscorable: int = 0
    lost_draws: int = 0


class PairTest(Record):
    """Two procedures on one split; every difference is `second` less `first`, in score units.

    `effect` is the difference of the means, from `low` to `high`. `p` is two-sided: whole seeds
    change their sign (`pairing` is not "none") or their procedure; `p_corrected` is Holm's over all
    pairs of the split, and `least_p` the smallest p that so many seeds can give. `p_bootstrap` is
    one-sided as in MultiBERTs: the share of replicates on the other side of 0.

    `beats` is the chance that a random run of `first` does better than a random one of `second`
    (ties are half); it has no ends where it is 0 or 1. `worst_difference` and
    `quartile_difference` compare the tails of bad runs; resampling says nothing of a worst run, so
    only the quartile has ends. `detectable` is the difference that four of five such experiments
    would find, None where nobody can say or no difference would be found.

    `verdict` says which is better: it takes p_corrected of at most alpha and an interval without 0.
    """

    first: str
    second: str
    pairing: Pairing
    effect: float
    low: float | None
    high: float | None
    p: float | None
    p_corrected: float | None
    least_p: float | None
    p_bootstrap: float | None
    beats: float
    beats_low: float | None
    beats_high: float | None
    worst_difference: float
    quartile_difference: float
    quartile_low: float | None
    quartile_high: float | None
    detectable: float | None
    verdict: Verdict


class Rank(Record):
    """A procedure's place by its mean, and the places that it may have as far as seeds can tell."""

    label: str
    rank: int
    best: int
    worst: int


class SplitComparison(Record):
    """All of one split; `ties` are the groups that cannot be told apart, the best first."""

    split: str
    kind: str
    shift: str | None
    parent: str | None
    examples: int
    text: str
    arms: tuple[ArmSummary, ...]
    pairs: tuple[PairTest, ...]
    ranks: tuple[Rank, ...] = ()
    ties: tuple[tuple[str, ...], ...] = ()


class Level(Record):
    """Whether a level is drawn anew in each replicate; if not, why it is held fixed."""

    name: Literal["pretraining seeds", "fine-tuning seeds", "examples"]
    drawn: bool
    why: str = ""


class Comparison(Record):
    """Procedures against each other, on every split that was asked for.

    `confidence` belongs to all intervals, whose `method` is "bca" or "percentile" (those of
    quartiles and chances are percentile intervals always). All but those of MultiBERTs'
    procedure are widened for few seeds. `unit` is what the tests rearrange.
    """

    schema_version: int = SCHEMA_VERSION
    score: str
    higher_is_better: bool
    precision: str
    smoke: bool
    made: datetime
    harness_version: str
    contestants: tuple[Contestant, ...]
    splits: tuple[SplitComparison, ...]
    levels: tuple[Level, ...]
    unit: str
    method: Literal["bca", "percentile"]
    replicates: int
    seed: int
    confidence: float
    alpha: float
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
