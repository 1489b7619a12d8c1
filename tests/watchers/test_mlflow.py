"""The watcher mlflow, against MLflow's own data base in a local file."""

import os
import time

import pytest
from comparison_scene import SUITE, fill, write_suite

from harness.api.cells import Stage
from harness.plan import expand
from harness.run.watching import Watching
from harness.store import Store
from harness.suite import open_suite

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed (extra mlflow)")
pytest.importorskip("sqlalchemy", reason="MLflow's local data base needs sqlalchemy")
pytest.importorskip("alembic", reason="MLflow's local data base needs alembic")
pytestmark = [
    pytest.mark.slow,  # making a data base
    pytest.mark.filterwarnings("ignore"),  # MLflow's and SQLAlchemy's own
]
SMALL = SUITE.replace("pretrain: 6", "pretrain: 2")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """A data base, whose making takes seconds."""
    place = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"
    mlflow.MlflowClient(tracking_uri=place).search_experiments()
    return place


@pytest.fixture
def client(uri):
    return mlflow.MlflowClient(tracking_uri=uri)


def watching_of(suite, folder, uri, experiment, **more):
    checked, catalogue = open_suite(suite)
    asked = {"mlflow": {"uri": uri, "experiment": experiment, **more}}
    plan = expand(checked, catalogue)
    return plan, Watching(plan, Store(folder / "runs"), catalogue, asked)


def runs_of(client, experiment):
    place = client.get_experiment_by_name(experiment)
    runs = client.search_runs([place.experiment_id])
    return {run.data.tags["seedscape.key"]: run for run in runs}


def test_every_run_of_a_procedure_is_a_run_with_settings_scores_and_losses(tmp_path, uri, client):
    suite = write_suite(tmp_path, SMALL)
    plan = fill(suite, tmp_path / "runs")
    store = Store(tmp_path / "runs")
    _, watching = watching_of(suite, tmp_path, uri, "whole")
    done = store.survey(plan.cells).done
    for cell in plan.cells:
        if cell.key in done:
            assert watching.tell_started(cell) == ()
            assert watching.tell_finished(cell, store.read(cell.key)) == ()
    assert watching.close(interrupted=False) == ()

    found = runs_of(client, "whole")
    trainings = {cell.key: cell for cell in plan.cells if cell.stage == Stage.FINETUNE}
    assert found.keys() == trainings.keys()
    for key, run in found.items():
        seeds = trainings[key].seeds[0]
        procedure = trainings[key].procedure
        assert run.info.status == "FINISHED"
        assert run.info.run_name == f"{procedure} {seeds.pretrain}/{seeds.finetune}"
        assert run.data.tags["seedscape.plan"] == plan.digest
        assert run.data.tags["seedscape.suite"] == "tiny"
        assert run.data.tags["seedscape.procedure"] == procedure
        assert run.data.params["seed.pretrain"] == str(seeds.pretrain)
        assert run.data.params["batch"] == "16"
        evaluated = next(
            c
            for c in plan.cells
            if c.parents == (key,) and c.key in done and c.work.split.name == "noise"
        )
        scores = store.read(evaluated.key).result.scores
        assert run.data.metrics["noise/accuracy"] == scores["accuracy"]
        (loss,) = client.get_metric_history(run.info.run_id, "train/loss")
        assert (loss.step, loss.value) == (3, 0.5)


def test_a_second_run_makes_no_run_twice_and_adds_what_is_new(tmp_path, uri, client):
    suite = write_suite(tmp_path, SMALL)
    fill(suite, tmp_path / "runs", without=lambda cell: "noise" in str(cell.work))
    watching_of(suite, tmp_path, uri, "twice")[1].close(interrupted=True)
    before = runs_of(client, "twice")
    assert not any("noise/accuracy" in run.data.metrics for run in before.values())

    fill(suite, tmp_path / "runs")
    for _ in range(2):
        assert watching_of(suite, tmp_path, uri, "twice")[1].close(interrupted=False) == ()

    after = runs_of(client, "twice")
    assert {key: run.info.run_id for key, run in after.items()} == {
        key: run.info.run_id for key, run in before.items()
    }
    assert len(before) == 2 * 2 * 2
    for run in after.values():
        for name in ("noise/accuracy", "test/accuracy", "train/loss"):
            assert len(client.get_metric_history(run.info.run_id, name)) == 1


@pytest.mark.parametrize(("interrupted", "status"), [(True, "KILLED"), (False, "FAILED")])
def test_a_run_without_an_end_is_not_left_running(tmp_path, uri, client, interrupted, status):
    suite = write_suite(tmp_path, SMALL)
    (tmp_path / "runs").mkdir()
    plan, watching = watching_of(suite, tmp_path, uri, f"without an end {status}")
    cell = next(cell for cell in plan.cells if cell.stage == Stage.FINETUNE)
    watching.tell_started(cell)
    assert runs_of(client, f"without an end {status}")[cell.key].info.status == "RUNNING"

    watching.close(interrupted=interrupted)

    assert runs_of(client, f"without an end {status}")[cell.key].info.status == status


def test_a_server_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    suite = write_suite(tmp_path, SMALL)
    plan, watching = watching_of(suite, tmp_path, "http://127.0.0.1:9", "nowhere")

    assert watching.tell_started(plan.cells[0]) == ()
    (line,) = watching.close(interrupted=False)

    assert line.startswith("watcher mlflow watches no more: ")
    assert "\n" not in line


def test_a_server_that_cannot_be_reached_is_known_in_seconds(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    suite = write_suite(tmp_path, SMALL)
    begun = time.monotonic()

    _, watching = watching_of(suite, tmp_path, "http://127.0.0.1:9", "nowhere")

    (told,) = watching.close(interrupted=False)
    assert told.startswith("watcher mlflow watches no more: ")
    assert time.monotonic() - begun < 60
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ
