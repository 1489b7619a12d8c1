"""What a metric returns."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.api.settings import Json

Access = Literal["train", "id", "ood-inputs", "ood-labels"]


class Record(BaseModel):
    """A frozen record that is stored as JSON; NaN and infinities survive the round trip."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Value(Record):
    """One number of a reading, with its standard error where it is an estimate.

    A `detail` (where the maximum lies, a residual) is stored and exported, but left out of reports.
    """

    name: str
    value: float
    split: str | None = None
    standard_error: float | None = None
    detail: bool = False


class Curve(Record):
    """Numbers along a path: `x` and one list per quantity, all of one length.

    `axis` says what `x` is ("alpha", "step", "rho"). Where the places are things and no numbers,
    such as modules or runs, `labels` names them. `against` is the split whose curve of the same
    name a reader wants beside this one: the figure then has this split's numbers over that one's.
    """

    name: str
    split: str | None
    x: list[float]
    y: dict[str, list[float]]
    axis: str = ""
    labels: list[str] = []
    against: str | None = None


class Grid(Record):
    """Numbers on a plane: z[quantity][row][column] at (x[column], y[row]).

    `marks` are points of the plane that have a name, such as the runs that span it. `axes` say
    what `x` and `y` are ("alpha", "sigma"); without them the plane has the same unit in both
    directions, and is drawn so. Where rows or columns are things, such as modules, `labels` names
    them by axis: {"y": [...]}.
    """

    name: str
    split: str | None
    x: list[float]
    y: list[float]
    z: dict[str, list[list[float]]]
    marks: dict[str, tuple[float, float]] = {}
    axes: tuple[str, str] | None = None
    labels: dict[Literal["x", "y"], list[str]] = {}


class Cost(Record):
    """Work done, in passes over one example: forward, backward, and the seconds they took."""

    forward: float = 0.0
    backward: float = 0.0
    seconds: float = 0.0


class Reading(Record):
    """What one metric says of one subject, how that was measured, and what it cost.

    `protocol` holds what a reader needs to compare: examples and split, loss or error, dtype,
    batch-norm policy, parameters included, seed. `converged` is False where an iteration gave up.
    """

    values: tuple[Value, ...]
    curves: tuple[Curve, ...] = ()
    grids: tuple[Grid, ...] = ()
    protocol: dict[str, Json] = {}
    cost: Cost = Cost()
    converged: bool = True
