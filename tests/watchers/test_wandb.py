"""The watcher wandb, against a module of the same interface, and offline against the real one."""

import sys
from types import SimpleNamespace

import pytest
from comparison_scene import SUITE, fill, write_suite

from harness.run.watching import Watching
from harness.store import Store
from harness.suite import open_suite

SMALL = SUITE.replace("pretrain: 6", "pretrain: 2")


class Run:
    """A W&B run, as far as we use it."""

    def __init__(self, given):
        self.given = given
        self.summary: dict[str, float] = {}
        self.history: list[tuple[int, dict[str, float]]] = []
        self.ended = False

    def log(self, numbers, step):
        self.history.append((step, numbers))

    def finish(self):
        self.ended = True


@pytest.fixture
def sent(monkeypatch):
    """Runs that a made-up `wandb` was given, in order."""
    runs: list[Run] = []

    def init(**given):
        runs.append(Run(given))
        return runs[-1]

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    return runs


@pytest.fixture
def suite(tmp_path):
    return write_suite(tmp_path, SMALL)


def close(plan, folder, suite, **settings):
    _, catalogue = open_suite(suite)
    store = Store(folder / "runs")
    (store.root / "suites" / "tiny-1").mkdir(parents=True, exist_ok=True)
    return Watching(plan, store, catalogue, {"wandb": settings}).close(interrupted=False)


def test_every_run_is_sent_whole_once(tmp_path, suite, sent):
    plan = fill(suite, tmp_path / "runs")

    assert close(plan, tmp_path, suite, project="mine") == ()

    assert len(sent) == len({run.given["id"] for run in sent}) == 2 * 2 * 2
    first = sent[0]
    assert first.ended
    assert first.given["project"] == "mine"
    assert first.given["name"].endswith("0/0")
    assert first.given["config"]["seed.pretrain"] == "0"
    assert first.given["config"]["seedscape.plan"] == plan.digest
    assert first.history == [(3, {"train/loss": 0.5})]
    assert {"noise/accuracy", "test/accuracy", "train/steps"} <= first.summary.keys()


def test_what_was_sent_is_not_sent_again_and_what_is_new_goes_to_the_same_run(
    tmp_path, suite, sent
):
    late = lambda cell: cell.key.startswith("evaluate") and cell.work.split.name == "noise"  # noqa: E731
    close(fill(suite, tmp_path / "runs", without=late), tmp_path, suite)
    before = [run.given["id"] for run in sent]
    sent.clear()

    plan = fill(suite, tmp_path / "runs")
    close(plan, tmp_path, suite)

    assert [run.given["id"] for run in sent] == before
    assert all(run.given["resume"] == "allow" and not run.history for run in sent)
    assert all("noise/accuracy" in run.summary for run in sent)
    sent.clear()
    close(plan, tmp_path, suite)
    assert sent == []


def test_a_failure_between_two_runs_is_one_line_and_the_next_run_sends_the_rest(
    tmp_path, suite, sent, monkeypatch
):
    plan = fill(suite, tmp_path / "runs")
    init = sys.modules["wandb"].init

    def once(**given):
        if sent:
            raise OSError("no network")
        return init(**given)

    monkeypatch.setattr(sys.modules["wandb"], "init", once)
    (line,) = close(plan, tmp_path, suite)
    assert line.startswith("watcher wandb watches no more: OSError: no network")

    monkeypatch.setattr(sys.modules["wandb"], "init", init)
    assert close(plan, tmp_path, suite) == ()
    assert len({run.given["id"] for run in sent}) == len(sent) == 2 * 2 * 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_the_real_wandb_takes_it_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="W&B is not installed (extra wandb)")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    suite = write_suite(
        tmp_path, SMALL.replace("pretrain: 2, finetune: 2", "pretrain: 1, finetune: 1")
    )
    plan = fill(suite, tmp_path / "runs")

    assert close(plan, tmp_path, suite) == ()

    folder = tmp_path / "runs" / "suites" / "tiny-1" / "wandb"
    assert len(list(folder.glob("offline-run-*/*.wandb"))) == 2
