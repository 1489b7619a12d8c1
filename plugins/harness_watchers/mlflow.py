"""The watcher `mlflow`: one MLflow run for each run of a procedure, while the suite runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.api.cells import Cell
from harness.api.contexts import WatchRoom
from harness.api.errors import HarnessError
from harness.api.offers import Watcher
from harness.api.results import CellRecord
from harness.api.settings import Settings, setting
from harness_watchers.tracked import (
    RUNS,
    News,
    name_of,
    news_of,
    plain,
    run_of,
    seeds_of,
    tags_of,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST = 500
"""A setting's text is cut there: older servers take no more."""
TRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
MOST = 1000
"""So many numbers go to a server at once."""


class MlflowSettings(Settings):
    """Where runs are tracked."""

    uri: str | None = setting(
        None, "tracking server or data base; null: what MLFLOW_TRACKING_URI or MLflow itself says"
    )
    experiment: str | None = setting(None, "its name; null: the suite's id")


@contextmanager
def _impatient() -> Iterator[None]:
    """A server that cannot be reached at all is known in seconds; MLflow would try for minutes."""
    if TRIES in os.environ:
        yield
        return
    os.environ[TRIES] = "2"
    try:
        yield
    finally:
        del os.environ[TRIES]


class Tracked:
    """One run as the server knows it: its id, and what it has been told."""

    def __init__(self, run: Any) -> None:  # `Any`: MLflow's own Run, imported late
        self.id: str = run.info.run_id
        self.settings = set(run.data.params)
        self.numbers: dict[str, float] = dict(run.data.metrics)
        self.ended = run.info.status == "FINISHED"


class MlflowWatch:
    """Finds a run by the key of its cell, so that no run is made twice, whoever watched before."""

    def __init__(self, settings: MlflowSettings, room: WatchRoom) -> None:
        try:
            from mlflow import MlflowClient
        except ImportError as error:
            raise HarnessError(
                f"cannot be used: {error}",
                where="watcher mlflow",
                fix="pip install 'seedscape[mlflow]'",
            ) from error
        self._room = room
        self._client: MlflowClient = MlflowClient(tracking_uri=settings.uri)
        name = settings.experiment or room.plan.suite_id
        with _impatient():
            known = self._client.get_experiment_by_name(name)
        self._experiment: str = (
            known.experiment_id if known is not None else self._client.create_experiment(name)
        )
        self._runs = {run.data.tags["seedscape.key"]: Tracked(run) for run in self._stored()}

    def started(self, cell: Cell) -> None:
        """A run stands as running from its first step on."""
        if cell.stage in RUNS:
            self._client.update_run(self._run(cell, cell.key).id, status="RUNNING")

    def finished(self, cell: Cell, record: CellRecord) -> None:
        """Numbers go to their run; training makes it finished."""
        key = run_of(cell)
        if key is not None:
            self._tell(self._run(cell, key), cell, news_of(cell, record))

    def close(self, *, interrupted: bool) -> None:
        """What was finished before, or by others, is told as well; what has no end has failed."""
        for cell, record in self._room.finished():
            self.finished(cell, record)
        ours = {cell.key for cell in self._room.plan.cells if cell.stage in RUNS}
        for key in ours & self._runs.keys():
            if not self._runs[key].ended:
                status = "KILLED" if interrupted else "FAILED"
                self._client.set_terminated(self._runs[key].id, status=status)

    def _stored(self) -> Iterator[Any]:
        token = None
        suite = self._room.plan.suite_id.replace("'", "")
        while True:
            page = self._client.search_runs(
                [self._experiment], f"tags.`seedscape.suite` = '{suite}'", page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def _run(self, cell: Cell, key: str) -> Tracked:
        if key not in self._runs:
            made = self._client.create_run(
                self._experiment,
                tags=tags_of(cell, key, self._room.plan),
                run_name=name_of(cell),
            )
            self._runs[key] = Tracked(made)
        return self._runs[key]

    def _tell(self, run: Tracked, cell: Cell, news: News) -> None:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        numbers = {plain(name): number for name, number in news.numbers.items()}
        fresh = {name: number for name, number in numbers.items() if name not in run.numbers}
        metrics = [Metric(name, number, now, 0) for name, number in fresh.items()]
        if news.losses and "train/loss" not in run.numbers:
            metrics += [Metric("train/loss", loss, now, step) for step, loss in news.losses]
            fresh["train/loss"] = news.losses[-1][1]
        settings = {plain(name): text for name, text in news.settings.items()}
        if news.trained:
            settings |= seeds_of(cell)
        unknown = {name: text for name, text in settings.items() if name not in run.settings}
        for start in range(0, len(metrics), MOST):
            self._client.log_batch(run.id, metrics=metrics[start : start + MOST])
        told = list(unknown.items())
        for start in range(0, len(told), 100):
            params = [Param(name, text[:LONGEST]) for name, text in told[start : start + 100]]
            self._client.log_batch(run.id, params=params)
        run.numbers |= fresh
        run.settings |= unknown.keys()
        if news.trained and not run.ended:
            self._client.set_terminated(run.id)
            run.ended = True


MLFLOW = Watcher(
    name="mlflow",
    about="One MLflow run for each run of a procedure: settings, scores, readings, losses.",
    settings=MlflowSettings,
    source="https://mlflow.org",
    open=MlflowWatch,
)
