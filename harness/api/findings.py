"""What the statistics make of all records of a suite: the one source of every report."""

from datetime import datetime
from typing import Literal

from harness.api.comparisons import Comparison
from harness.api.pictures import Clusters, MeanCurve, Picture
from harness.api.predictors import LadderStep, LineFit, PairTest, PredictorTest
from harness.api.readings import Record
from harness.api.settings import Json
from harness.api.sources import Refusal, Source
from harness.api.standings import Standings
from harness.api.variance import VarianceShare

SCHEMA_VERSION = 1
"""Stands in every file of findings.

A field with a default may be added within a version; whatever else changes takes another.
"""


class RunScore(Record):
    """One run's score on one split."""

    procedure: str
    pretrain_seed: int
    finetune_seed: int
    order_seed: int
    split: str
    split_kind: str
    score: str
    value: float
    examples: int
    diverged: bool = False
    unscorable: int = 0


class ProcedureNote(Record):
    """What a procedure's label stands for.

    `pretrain_seed_word` says what the pretraining seed draws: "pretraining seeds", or
    "initial-weight seeds" where nothing was pretrained.
    """

    label: str
    model: str
    init: str
    method: str
    planned: int
    pretrain_seed_word: str = "pretraining seeds"


class Spread(Record):
    """A procedure's score on one split over its runs; `sd` has ddof=1 and is None for n < 2.

    `planned` counts the runs the suite asks for; `runs` those that have a value, of which
    `not_finite` are NaN or infinite. With any such value mean and sd are None (leaving it out
    would flatter the procedure), and it is the worst. `unscorable` counts predictions that could
    not be scored, over all runs; `sampling_sd` is the standard error of one run's score as an
    estimate for new examples, sqrt(p (1 - p) / examples), None for scores it does not hold for.
    `low` and `high` are the ends of the mean's 95 % interval (see `Comparison`), which the primary
    score has on the primary splits.
    """

    procedure: str
    split: str
    split_kind: str
    shift: str | None
    parent: str | None
    score: str
    higher_is_better: bool
    planned: int
    runs: int
    examples: int
    mean: float | None
    sd: float | None
    worst: float | None
    worst_seeds: str | None
    best: float | None
    not_finite: int = 0
    unscorable: int = 0
    diverged: int = 0
    sampling_sd: float | None = None
    low: float | None = None
    high: float | None = None


class PairSummary(Record):
    """A pair metric's value over the pairs of one kind; `sd` describes, it is no standard error.

    Pairs share runs, so `pairs` is no number of independent observations; `runs` is how many
    different runs take part. `planned` counts the pairs the suite asks for, `not_finite` the NaN
    and infinite values among `pairs`; with any of them mean and sd are None. `diverged` counts the
    pairs with a diverged run. Where nothing was measured, `pairs` is 0.
    """

    procedure: str
    metric: str
    name: str
    split: str | None
    pair_kind: str
    pairs: int
    mean: float | None
    sd: float | None
    minimum: float | None
    maximum: float | None
    planned: int = 0
    runs: int = 0
    not_finite: int = 0
    not_converged: int = 0
    diverged: int = 0


class PointSummary(Record):
    """A metric's value over runs, or over groups of runs (`of`); counts as in `PairSummary`."""

    procedure: str
    metric: str
    name: str
    split: str | None
    runs: int
    mean: float | None
    sd: float | None
    minimum: float | None
    maximum: float | None
    planned: int = 0
    not_finite: int = 0
    not_converged: int = 0
    diverged: int = 0
    of: str = "point"


class ReadingValue(Record):
    """One value of one metric at one subject, whose `runs` are "pretrain seed/fine-tune seed"."""

    procedure: str
    metric: str
    of: str
    name: str
    split: str | None
    pair_kind: str | None
    runs: tuple[str, ...]
    value: float
    standard_error: float | None = None
    converged: bool = True


class MetricNote(Record):
    """How a metric was measured: `protocol` holds what all its readings have in common."""

    metric: str
    about: str
    formula: str
    source: str
    protocol: dict[str, Json] = {}
    seconds: float = 0.0


class Problem(Record):
    """A planned cell without a usable result.

    `failed`: it ended with an error. `missing`: it has not run. `damaged`: its files are not what
    was written. `diverged`: the training's loss became NaN or infinite, and its scores stand.
    `unscored`: it ran, but one of its scores could not be computed.
    """

    key: str
    stage: str
    procedure: str
    seeds: str
    state: Literal["failed", "missing", "damaged", "diverged", "unscored"]
    reason: str


class Answer(Record):
    """A question and its answer in plain words, with the numbers and counts it rests on."""

    question: str
    text: str
    warnings: tuple[str, ...] = ()


class Provenance(Record):
    """Where the numbers come from."""

    harness_version: str
    suite_text: str
    plan_digest: str
    plugins: dict[str, str]
    packages: dict[str, str]
    machines: tuple[str, ...]
    precisions: tuple[str, ...]
    wall_seconds: float
    cells: int
    citations: tuple[str, ...]
    licenses: dict[str, str] = {}


class Findings(Record):
    """All that a report shows. `smoke` marks a trial run, `headline` is the answer in short.

    `learning` holds training losses: per stage and procedure, of a pretraining per model.
    `comparison` is of its procedures split by split, `standings` over OOD splits together.
    `sources` are the suites or stores that stand side by side; of one suite there are none.
    `refusals` say which of them are not compared with the first.
    """

    schema_version: int = SCHEMA_VERSION
    suite: str
    version: str
    title: str
    smoke: bool
    made: datetime
    primary_score: str
    primary_id: str
    primary_ood: tuple[str, ...]
    answers: tuple[Answer, ...]
    warnings: tuple[str, ...]
    runs: tuple[RunScore, ...]
    spreads: tuple[Spread, ...]
    variance: tuple[VarianceShare, ...]
    pairs: tuple[PairSummary, ...]
    points: tuple[PointSummary, ...]
    problems: tuple[Problem, ...]
    provenance: Provenance
    procedures: tuple[ProcedureNote, ...] = ()
    readings: tuple[ReadingValue, ...] = ()
    curves: tuple[MeanCurve, ...] = ()
    metrics: tuple[MetricNote, ...] = ()
    pictures: tuple[Picture, ...] = ()
    clusters: tuple[Clusters, ...] = ()
    predictors: tuple[PredictorTest, ...] = ()
    ladder: tuple[LadderStep, ...] = ()
    mantel: tuple[PairTest, ...] = ()
    lines: tuple[LineFit, ...] = ()
    learning: tuple[MeanCurve, ...] = ()
    comparison: Comparison | None = None
    standings: Standings | None = None
    sources: tuple[Source, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    headline: str = ""
    extra: dict[str, Json] = {}
