"""What a report draws of metrics: their curves, grids and clusters of runs."""

from harness.api.readings import Grid, Record
from harness.api.settings import Json


class Line(Record):
    """The curve of one subject, at points of its own where there are more than a figure shows."""

    runs: tuple[str, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]


class MeanCurve(Record):
    """A metric's curve over the subjects of one kind: mean, minimum and maximum at each `x`.

    `lines` are those of some of the `subjects`, spread evenly over them; one of many points keeps
    those that its shape hangs on. Where the subjects' curves have different `x` there are lines
    alone. `axis`, `labels` and `against` are as in `Curve`.
    """

    procedure: str
    metric: str
    curve: str
    quantity: str
    split: str | None
    pair_kind: str | None
    subjects: int
    x: tuple[float, ...]
    mean: tuple[float, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    of: str = "pair"
    axis: str = ""
    labels: tuple[str, ...] = ()
    against: str | None = None
    lines: tuple[Line, ...] = ()


class Picture(Record):
    """A metric's grid of one subject, as an example; `protocol` is that of its reading.

    `subjects` is how many of this procedure and kind have grids.
    """

    procedure: str
    metric: str
    pair_kind: str | None
    runs: tuple[str, ...]
    grid: Grid
    protocol: dict[str, Json] = {}
    of: str = "pair"
    subjects: int = 1


class Clusters(Record):
    """Which cluster of runs each run of a procedure is in, by a metric of groups.

    Read off its detail values "cluster[RUN]", on one split.
    """

    procedure: str
    metric: str
    split: str | None
    clusters: dict[str, int]
