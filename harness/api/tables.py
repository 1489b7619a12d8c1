"""What the statistics make of a table of results that was made elsewhere."""

from harness.api.predictors import LadderStep, LineFit, PredictorTest
from harness.api.readings import Record

SCHEMA_VERSION = 1


class ColumnSpread(Record):
    """One column of scores over runs; `sd` has ddof=1.

    `sampling_sd` is the standard error of one run's score from testing on finitely many examples,
    None where their number is unknown.
    """

    column: str
    kind: str
    runs: int
    mean: float
    sd: float
    minimum: float
    maximum: float
    worst_run: str
    sampling_sd: float | None = None


class ComponentShare(Record):
    """A factor's share of the variance of one column, with an interval where there is one."""

    column: str
    factor: str
    levels: int
    sd: float
    share: float
    share_low: float | None = None
    share_high: float | None = None
    note: str = ""


class TableFindings(Record):
    """All that `analyze` says of a table; `notes` say what was left out, and cautions."""

    schema_version: int = SCHEMA_VERSION
    table: str
    digest: str
    runs: int
    clusters: int
    design: str
    spreads: tuple[ColumnSpread, ...]
    components: tuple[ComponentShare, ...] = ()
    lines: tuple[LineFit, ...] = ()
    ladder: tuple[LadderStep, ...] = ()
    predictors: tuple[PredictorTest, ...] = ()
    notes: tuple[str, ...] = ()
