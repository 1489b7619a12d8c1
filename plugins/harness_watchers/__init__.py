"""Built-in watchers: trackers of other makers, told of every run of a procedure."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Watcher
from harness_watchers.mlflow import MLFLOW
from harness_watchers.wandb import WANDB


@hookimpl
def harness_watchers() -> Iterable[Watcher]:
    """Every tracker that can be told of runs."""
    return (MLFLOW, WANDB)
