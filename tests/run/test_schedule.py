"""The schedule: parents first, packs, claims, failures, dead workers; nothing is trained."""

import json
from dataclasses import replace

import pytest
from toy_cells import PoolHere, StoringWork, evaluation, record, training

from harness.api.cells import Cell, MeasureWork, Seeds, Stage
from harness.api.contexts import ExecutorRoom
from harness.run.board import Board
from harness.run.display import Silent
from harness.run.journal import Journal, read_journal
from harness.run.packs import Calibration, Packing
from harness.run.schedule import Desk, Schedule
from harness.run.tally import Tally
from harness.store import Store
from harness_executors import harness_executors


class Nobody:
    def __init__(self):
        self.told = []

    def tell_started(self, cell):
        self.told.append(("started", cell.key))
        return ()

    def tell_finished(self, cell, record):
        self.told.append(("finished", cell.key, record.outcome))
        return ("a watcher complained",)


def run(cells, tmp_path, *, pool=None, pack=1, workers=2, **work):
    """Run the cells; gives the schedule, the board, the pool and who watched."""
    store = Store(tmp_path / "store")
    store.prepare()
    work = StoringWork(store.root, tmp_path, **work)
    pool = pool or PoolHere(work, workers)
    board = Board(cells, store.survey(cells).done)
    watchers, display = Nobody(), Silent()
    display.begin(Tally(len(cells), board.cells.values()))
    packing = Packing(pack, True, pool.workers, "cpu", tmp_path / "cache")
    with Journal(tmp_path) as journal:
        schedule = Schedule(board, packing, Desk(store, watchers, journal, display))
        schedule.run(pool)
    return schedule, board, pool, watchers


def chain():
    return [
        training("pretrain-a", stage=Stage.PRETRAIN, procedure=""),
        training("finetune-a", "pretrain-a"),
        evaluation("evaluate-a", "finetune-a"),
    ]


def test_parents_run_before_children_and_the_critical_path_first(tmp_path):
    cells = [
        evaluation("evaluate-a", "finetune-a"),
        training("finetune-a", "pretrain-a"),
        training("finetune-lone"),
        training("pretrain-a", stage=Stage.PRETRAIN, procedure=""),
    ]
    _, _, pool, _ = run(cells, tmp_path, workers=1)
    keys = [cell.key for job in pool.jobs for cell in job.cells]
    assert keys == ["pretrain-a", "finetune-lone", "finetune-a", "evaluate-a"]


def test_what_is_done_is_not_run_again(tmp_path):
    cells = chain()
    run(cells[:2], tmp_path)
    schedule, _, pool, _ = run(cells, tmp_path)
    assert [cell.key for job in pool.jobs for cell in job.cells] == ["evaluate-a"]
    assert schedule.account.computed == 1


def test_watchers_are_told_and_their_complaints_kept_once(tmp_path):
    schedule, _, _, watchers = run(chain(), tmp_path)
    assert watchers.told[:2] == [("started", "pretrain-a"), ("finished", "pretrain-a", "ok")]
    assert list(schedule.account.warnings) == ["a watcher complained"]


def test_a_failed_cell_blocks_what_waits_for_it_and_nothing_else(tmp_path):
    cells = [*chain(), training("finetune-lone")]
    schedule, board, _, _ = run(cells, tmp_path, fail=("finetune-a",))
    assert list(schedule.account.failed) == ["finetune-a"]
    assert schedule.account.failed["finetune-a"].log == "the log"
    assert board.blocked == {"evaluate-a": "finetune-a"}
    assert board.missing == ("finetune-a", "evaluate-a")
    assert Store(tmp_path / "store").survey(cells).done == {"pretrain-a", "finetune-lone"}


def test_a_failure_is_noted_in_the_store_until_the_cell_is_finished(tmp_path):
    cells = chain()
    run(cells, tmp_path, fail=("finetune-a",))
    store = Store(tmp_path / "store")
    assert store.survey(cells).failed["finetune-a"].reason == "it was told to"
    run(cells, tmp_path)
    assert store.survey(cells).failed == {}


def test_trainings_of_one_procedure_go_into_packs_of_the_size_asked_for(tmp_path):
    cells = [training(f"finetune-a{n}", seed=n) for n in range(5)]
    cells += [training(f"finetune-b{n}", seed=n, procedure="other") for n in range(2)]
    _, _, pool, _ = run(cells, tmp_path, pack=3)
    assert [len(job.cells) for job in pool.jobs] == [3, 2, 2]
    assert all(len({cell.procedure for cell in job.cells}) == 1 for job in pool.jobs)


def test_evaluations_of_one_point_are_one_job(tmp_path):
    cells = [training("finetune-a"), training("finetune-b")]
    cells += [evaluation(f"evaluate-{run}{n}", f"finetune-{run}") for run in "ab" for n in range(3)]
    _, _, pool, _ = run(cells, tmp_path)
    assert sorted(len(job.cells) for job in pool.jobs) == [1, 1, 3, 3]


def test_readings_of_one_metric_are_cut_so_that_all_workers_are_busy(tmp_path):
    first = training("finetune-a")
    work = MeasureWork(first.work.model, "pair", first.work.model, first.work.train, ())
    cells = [first] + [
        first.__class__(f"measure-{n}", Stage.MEASURE, "toy", (Seeds(0, 0),), ("finetune-a",), work)
        for n in range(16)
    ]
    _, _, pool, _ = run(cells, tmp_path, workers=2)
    sizes = [len(job.cells) for job in pool.jobs[1:]]
    assert sum(sizes) == 16
    assert sizes[0] == 4


def test_readings_of_one_point_are_one_job_whatever_their_metrics(tmp_path):
    runs = [training("finetune-a"), training("finetune-b")]
    cells = list(runs)
    for run_of in "ab":
        for metric in ("one", "two", "three"):
            use = replace(runs[0].work.model, noun="metric", name=metric, label=metric)
            work = MeasureWork(use, "point", runs[0].work.model, runs[0].work.train, ())
            key, parent = f"measure-{run_of}-{metric}", f"finetune-{run_of}"
            cells.append(Cell(key, Stage.MEASURE, "toy", (Seeds(0, 0),), (parent,), work))
    _, _, pool, _ = run(cells, tmp_path, workers=2)
    jobs = [job for job in pool.jobs if job.cells[0].stage == Stage.MEASURE]
    assert [len(job.cells) for job in jobs] == [3, 3]
    assert all(len({cell.parents for cell in job.cells}) == 1 for job in jobs)


def test_packs_are_timed_once_and_the_timing_is_kept_for_later_runs(tmp_path):
    cells = [training(f"finetune-a{n}", seed=n) for n in range(8)]
    _, _, pool, _ = run(cells, tmp_path, pack=None, workers=1)
    kinds = [(job.kind, len(job.cells)) for job in pool.jobs]
    assert kinds == [("calibrate", 8), ("run", 4), ("run", 4)]
    assert pool.jobs[1].calibration == {"1": 1.0, "2": 0.5, "4": 0.1}
    more = [training(f"finetune-b{n}", seed=n) for n in range(8)]
    _, _, again, _ = run(more, tmp_path, pack=None, workers=1)
    assert [job.kind for job in again.jobs] == ["run", "run"]


@pytest.mark.parametrize(
    ("seconds", "device", "size"),
    [
        ({"1": 1.0, "2": 0.9, "4": 0.8}, "cpu", 1),
        ({"1": 1.0, "2": 0.9, "4": 0.8}, "cuda", 4),
        ({"1": 1.0, "2": 0.7, "4": 0.25}, "cpu", 4),
        ({"1": 1.0}, "cuda", 1),
        ({}, "cuda", 1),
    ],
)
def test_a_stack_must_be_clearly_faster_on_a_cpu_to_be_chosen(seconds, device, size):
    assert Calibration(seconds, device).best(8, 1) == size


def test_a_calibration_that_cannot_be_read_is_made_again(tmp_path):
    cells = [training(f"finetune-a{n}", seed=n) for n in range(2)]
    run(cells, tmp_path, pack=None, workers=1)
    [stored] = (tmp_path / "cache" / "calibrations").iterdir()
    stored.write_text("{")
    more = [training(f"finetune-b{n}", seed=n) for n in range(2)]
    _, _, pool, _ = run(more, tmp_path, pack=None, workers=1)
    assert pool.jobs[0].kind == "calibrate"
    assert json.loads(stored.read_text())["device"] == "cuda"


def test_a_cell_that_another_run_has_claimed_is_waited_for_and_its_result_used(tmp_path):
    cells = chain()
    other = Store(tmp_path / "store")
    other.prepare()
    claim = other.claim("pretrain-a")
    asked = []

    class Pool(PoolHere):
        def next(self, timeout):
            asked.append(timeout)
            if len(asked) == 3:  # the other run finishes
                other.write(record(cells[0]), {})
                claim.release()
            return super().next(timeout)

    pool = Pool(StoringWork(other.root, tmp_path), 2)
    schedule, _, _, _ = run(cells, tmp_path, pool=pool)
    assert (schedule.account.computed, schedule.account.shared) == (2, 1)
    assert "pretrain-a" not in [cell.key for job in pool.jobs for cell in job.cells]


def test_a_cell_whose_claim_is_freed_without_a_result_is_run_here(tmp_path):
    cells = chain()
    other = Store(tmp_path / "store")
    other.prepare()
    claim = other.claim("pretrain-a")

    class Pool(PoolHere):
        def next(self, timeout):
            claim.release()
            return super().next(timeout)

    pool = Pool(StoringWork(other.root, tmp_path), 2)
    schedule, _, _, _ = run(cells, tmp_path, pool=pool)
    assert (schedule.account.computed, schedule.account.shared) == (3, 0)


def test_claims_are_free_after_the_run(tmp_path):
    cells = chain()
    run(cells, tmp_path, fail=("finetune-a",))
    store = Store(tmp_path / "store")
    for cell in cells:
        claim = store.claim(cell.key)
        assert claim is not None
        claim.release()


def real_pool(tmp_path, workers=1, **work):
    offer = {offer.name: offer for offer in harness_executors()}["processes"]
    work = StoringWork(tmp_path / "store", tmp_path, **work)
    return offer.open(offer.settings(), ExecutorRoom(work, workers, "cpu"))


def test_a_cell_whose_worker_died_is_run_once_more_and_the_rest_of_its_job_is_not_lost(tmp_path):
    cells = [training(f"finetune-{name}") for name in ("a", "b", "c")]
    pool = real_pool(tmp_path, die=("finetune-b",), deaths=1)
    schedule, _, _, _ = run(cells, tmp_path, pool=pool, pack=3)
    pool.close(cancel=False)
    assert schedule.account.failed == {}
    assert schedule.account.computed == 3


def test_a_cell_that_kills_its_worker_twice_fails_with_what_is_known(tmp_path):
    cells = [training(f"finetune-{name}") for name in ("a", "b", "c")]
    pool = real_pool(tmp_path, die=("finetune-b",), deaths=9)
    schedule, _, _, _ = run(cells, tmp_path, pool=pool, pack=3)
    pool.close(cancel=False)
    assert list(schedule.account.failed) == ["finetune-b"]
    assert schedule.account.failed["finetune-b"].attempts == 2
    assert "signal 9" in schedule.account.failed["finetune-b"].reason
    assert schedule.account.computed == 2


def test_the_journal_tells_what_ran_when(tmp_path):
    run(chain(), tmp_path, fail=("finetune-a",))
    told = [(line["event"], line["key"]) for line in read_journal(tmp_path)]
    assert told == [
        ("started", "pretrain-a"),
        ("finished", "pretrain-a"),
        ("started", "finetune-a"),
        ("failed", "finetune-a"),
    ]


def test_a_torn_line_in_the_journal_is_skipped(tmp_path):
    with Journal(tmp_path) as journal:
        journal.write("started", key="a")
    (tmp_path / "journal.jsonl").write_text(
        (tmp_path / "journal.jsonl").read_text() + '{"when": "20'
    )
    assert [line["event"] for line in read_journal(tmp_path)] == ["started"]
    assert read_journal(tmp_path / "nowhere") == []


def test_a_board_of_many_cells_is_quick():
    import time

    cells = [training("pretrain-0", stage=Stage.PRETRAIN, procedure="")]
    cells += [training(f"finetune-{n}", "pretrain-0") for n in range(1000)]
    cells += [evaluation(f"evaluate-{n}", f"finetune-{n % 1000}") for n in range(20_000)]
    started = time.process_time()
    board = Board(cells, set())
    while (group := board.next_group()) is not None:
        for cell in board.take(group, 64):
            board.finish(cell.key)
    assert board.open == 0
    assert time.process_time() - started < 2.0
