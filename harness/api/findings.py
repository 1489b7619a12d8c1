"""What the statistics make of all records of a suite: the one source of every report."""

from datetime import datetime

from harness.api.readings import Record
from harness.api.settings import Json

SCHEMA_VERSION = 1


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


class Spread(Record):
    """A procedure's score on one split over its runs; `sd` has ddof=1 and is None for n < 2.

    `planned` counts the runs the suite asks for; `runs` those that have a value.
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


class VarianceShare(Record):
    """Shares of the variance over runs; None (with a `note`) where the design cannot tell.

    `interaction` is what neither seed explains by itself; it includes everything else that differs
    between two runs.
    """

    procedure: str
    split: str
    split_kind: str
    score: str
    design: str
    pretrain_seeds: int
    finetune_seeds: int
    total_sd: float | None
    pretrain: float | None
    finetune: float | None
    interaction: float | None
    note: str = ""


class PairSummary(Record):
    """A pair metric's value over the pairs of one kind; `sd` describes, it is no standard error."""

    procedure: str
    metric: str
    name: str
    split: str | None
    pair_kind: str
    pairs: int
    mean: float
    sd: float | None
    minimum: float
    maximum: float


class PointSummary(Record):
    """A point metric's value over runs."""

    procedure: str
    metric: str
    name: str
    split: str | None
    runs: int
    mean: float
    sd: float | None
    minimum: float
    maximum: float


class Problem(Record):
    """A planned cell without a usable result."""

    key: str
    stage: str
    procedure: str
    seeds: str
    state: str
    reason: str


class Answer(Record):
    """One sentence in plain words, with its numbers, and what it rests on."""

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
    """All that a report shows. `smoke` marks a trial run."""

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
    extra: dict[str, Json] = {}
