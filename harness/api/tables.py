"""What the statistics make of a table of results that was made elsewhere."""

from harness.api.predictors import LadderStep, LineFit, PredictorTest
from harness.api.readings import Record

SCHEMA_VERSION = 1


class Ends(Record):
    """A 95 % interval."""

    low: float
    high: float


class SourceFile(Record):
    """A file that was read beside the table: what for, its name, and its SHA-256."""

    part: str
    file: str
    digest: str


class ColumnSpread(Record):
    """One column of scores over runs, of `kind` "id", "ood" or "upstream"; `sd` has ddof=1.

    `sampling_sd` is the standard error of one run's score from testing on finitely many examples,
    None where their number is unknown. With predictions there are also `seed_sd`, the spread that
    is left when every run is tested on everything (from the scores of single examples).

    `group_mean` is the mean over groups of the means over their runs, of those runs that are drawn:
    with intervals over runs drawn anew (`mean_ends_runs`), and over predicted examples too
    (`mean_ends`).
    """

    column: str
    kind: str
    runs: int
    mean: float
    sd: float
    minimum: float
    maximum: float
    worst_run: str
    examples: int | None = None
    sampling_sd: float | None = None
    seed_sd: float | None = None
    group_mean: float | None = None
    mean_ends: Ends | None = None
    mean_ends_runs: Ends | None = None


class ComponentShare(Record):
    """A factor's share of the variance of one column, with an interval where there is one.

    `seeds` and `testing` are, where there are predictions, the parts of this factor's variance
    that are the seeds alone and that testing on finitely many examples adds (not cut off at 0).
    """

    column: str
    factor: str
    levels: int
    sd: float
    share: float
    share_low: float | None = None
    share_high: float | None = None
    seeds: float | None = None
    testing: float | None = None
    note: str = ""


class Robustness(Record):
    """A run's effective robustness: its score OOD less what the line of the baselines expects.

    `noise` is the standard error of its score from testing, None where the number of examples is
    unknown.
    """

    target: str
    run: str
    in_domain: float
    ood: float
    expected: float
    effective: float
    noise: float | None = None


class HullPoint(Record):
    """A run on the lower convex hull: its errors upstream and downstream."""

    run: str
    upstream: float
    downstream: float


class TransferFit(Record):
    """Downstream error = k upstream error^alpha + e_inf, fitted to the hull over `runs`.

    `residual` is the root mean square error over the hull's points. None with a `note` where the
    law cannot be fitted.
    """

    target: str
    upstream: str
    runs: int
    k: float | None = None
    alpha: float | None = None
    e_inf: float | None = None
    residual: float | None = None
    alpha_ends: Ends | None = None
    e_inf_ends: Ends | None = None
    hull: tuple[HullPoint, ...] = ()
    note: str = ""


class StrictTest(Record):
    """Does a column follow a score when one hyper-parameter changes? By the axes that repeat.

    `granulated` is Psi of Jiang et al. 2020 with psi of each axis; `information` their K, the
    conditional mutual information over at most two axes held known; `mean_error`, `ninetieth` and
    `worst_error` the robust sign error of Dziugaite et al. 2020 over `environments`. None where
    nothing repeats.
    """

    target: str
    predictor: str
    axes: tuple[str, ...]
    granulated: float | None = None
    by_axis: dict[str, float | None] = {}
    information: float | None = None
    mean_error: float | None = None
    ninetieth: float | None = None
    worst_error: float | None = None
    environments: int = 0


class Aggregate(Record):
    """One robust summary over runs and all OOD columns, with an interval over drawn groups."""

    name: str
    value: float
    ends: Ends | None = None


class TableFindings(Record):
    """All that `analyze` says of a table; `notes` say what was left out, and cautions."""

    schema_version: int = SCHEMA_VERSION
    table: str
    digest: str
    sources: tuple[SourceFile, ...] = ()
    runs: int
    clusters: int
    design: str
    spreads: tuple[ColumnSpread, ...]
    components: tuple[ComponentShare, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    lines: tuple[LineFit, ...] = ()
    robustness: tuple[Robustness, ...] = ()
    transfer: tuple[TransferFit, ...] = ()
    ladder: tuple[LadderStep, ...] = ()
    predictors: tuple[PredictorTest, ...] = ()
    strict: tuple[StrictTest, ...] = ()
    notes: tuple[str, ...] = ()
