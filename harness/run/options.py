"""How a suite is run: what stands on the command line and not in the suite."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.api.settings import Json


@dataclass(frozen=True)
class RunOptions:
    """Where and how cells run.

    Only `precision` changes numbers, and so makes other cells. `workers` 0 means as many as fit.
    `pack` is how many runs are trained as one stack; None lets timed steps decide. `offline`
    forbids the network. `compiled` trains through `torch.compile`, one run at a time: the same
    numbers to rounding. `display` "auto" is live on a terminal and plain lines elsewhere.
    `watch` maps the watchers that are told of cells to their settings.
    """

    executor: str = "processes"
    executor_settings: Mapping[str, Json] = field(default_factory=dict)
    workers: int = 0
    device: str = "auto"
    precision: str = "float32"
    pack: int | None = None
    offline: bool = False
    compiled: bool = False
    watch: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    display: Literal["auto", "live", "plain", "none"] = "auto"
