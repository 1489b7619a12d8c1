"""Executors: every cell gets its news, a dead worker is replaced, and nothing is left behind."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from toy_cells import job, work_by_key, work_on_threads

from harness.api.contexts import ExecutorRoom
from harness_executors import harness_executors

WAYS = ["fork", pytest.param("spawn", marks=pytest.mark.slow)]


def open_pool(name="processes", *, workers=2, work=work_by_key, **settings):
    offer = {offer.name: offer for offer in harness_executors()}[name]
    return offer.open(offer.settings(**settings), ExecutorRoom(work, workers, "cpu"))


def events(pool, *, jobs: int):
    heard = []
    while sum(event.kind in ("done", "lost") for event in heard) < jobs:
        event = pool.next(30.0)
        assert event is not None, f"the pool fell silent after {heard}"
        heard.append(event)
    return heard


def descendants():
    return [p for p in psutil.Process().children(recursive=True) if p.status() != "zombie"]


@pytest.mark.parametrize("start", WAYS)
def test_every_cell_of_every_job_is_told_as_started_and_finished(start):
    pool = open_pool(start=start)
    for number in range(4):
        pool.submit(job(number, f"a {number}", f"b {number}"))
    heard = events(pool, jobs=4)
    pool.close(cancel=False)
    finished = sorted(event.key for event in heard if event.kind == "finished")
    assert finished == sorted(f"{letter} {n}" for letter in "ab" for n in range(4))
    assert {event.worker for event in heard} <= {0, 1}


@pytest.mark.parametrize("name", ["serial", "processes"])
def test_a_work_function_that_raises_fails_its_remaining_cells_and_no_others(name):
    pool = open_pool(name)
    pool.submit(job(0, "fine", "raise me", "never reached"))
    pool.submit(job(1, "also fine"))
    heard = events(pool, jobs=2)
    pool.close(cancel=False)
    failed = {event.key: event for event in heard if event.kind == "failed"}
    assert sorted(failed) == ["never reached", "raise me"]
    assert failed["raise me"].text == "ValueError: no good: me"
    assert "Traceback" in failed["raise me"].log
    assert {e.key for e in heard if e.kind == "finished"} == {"fine", "also fine"}


def test_what_a_worker_printed_is_the_log_of_a_failed_cell_and_of_that_job_only():
    pool = open_pool(workers=1)
    pool.submit(job(0, "raise first"))
    pool.submit(job(1, "forget second"))
    heard = {event.key: event for event in events(pool, jobs=2) if event.kind == "failed"}
    pool.close(cancel=False)
    assert heard["raise first"].log.startswith("these were its last words")
    assert "last words" not in heard["forget second"].log


@pytest.mark.parametrize("start", WAYS)
def test_a_killed_worker_is_told_as_lost_with_its_cell_and_log_and_a_new_one_goes_on(start):
    pool = open_pool(workers=1, start=start)
    pool.submit(job(0, "fine", "die young", "never reached"))
    pool.submit(job(1, "after"))
    heard = events(pool, jobs=2)
    pool.close(cancel=False)
    lost = next(event for event in heard if event.kind == "lost")
    assert (lost.job, lost.key) == (0, "die young")
    assert "signal 9" in lost.text
    assert "about to die" in lost.log
    assert heard[-1].kind == "done"
    assert any(event.kind == "finished" and event.key == "after" for event in heard)


def test_a_worker_that_exits_by_itself_is_lost_with_its_status():
    pool = open_pool(workers=1)
    pool.submit(job(0, "exit"))
    lost = events(pool, jobs=1)[-1]
    pool.close(cancel=False)
    assert lost.kind == "lost"
    assert "status 3" in lost.text


def test_a_work_function_that_workers_cannot_import_is_told_as_lost_with_the_reason():
    offer = {offer.name: offer for offer in harness_executors()}["processes"]
    room = ExecutorRoom(work_by_key, 1, "cpu", preload=("no_such_module_anywhere",))
    pool = offer.open(offer.settings(), room)
    pool.submit(job(0, "a"))
    lost = events(pool, jobs=1)[-1]
    pool.close(cancel=True)
    assert lost.kind == "lost"
    assert "no_such_module_anywhere" in lost.log


def test_a_nursery_that_was_killed_is_replaced():
    pool = open_pool(workers=1)
    pool.submit(job(0, "a"))
    events(pool, jobs=1)
    [nursery] = psutil.Process().children()
    nursery.kill()
    nursery.wait()
    pool.submit(job(1, "die"))
    pool.submit(job(2, "b"))
    heard = events(pool, jobs=2)
    pool.close(cancel=False)
    assert [event.kind for event in heard if event.job == 1] == ["started", "lost"]
    assert [event.kind for event in heard if event.job == 2] == ["started", "finished", "done"]
    assert descendants() == []


def test_workers_start_only_when_there_is_a_job_for_them():
    pool = open_pool(workers=8)
    assert pool.workers == 8
    assert descendants() == []
    pool.close(cancel=False)


def test_closing_leaves_no_process_and_no_open_file():
    before = psutil.Process().num_fds()
    pool = open_pool()
    pool.submit(job(0, "a"))
    pool.submit(job(1, "sleep"))
    events(pool, jobs=1)
    started = time.monotonic()
    pool.close(cancel=True)
    assert time.monotonic() - started < 4.0
    assert descendants() == []
    assert psutil.Process().num_fds() == before


def test_cancelling_lets_a_cell_clean_up_behind_itself(tmp_path):
    half_written = tmp_path / "half-written"
    pool = open_pool(workers=1)
    pool.submit(job(0, f"unwind {half_written}"))
    while not half_written.exists():
        pool.next(0.05)
    pool.close(cancel=True)
    assert not half_written.exists()


PARENT = """
import sys
sys.path[:0] = {tests!r}
from test_executors import open_pool
from toy_cells import job
pool = open_pool(start={start!r})
pool.submit(job(0, "unwind {file}"))
pool.submit(job(1, "sleep"))
while True:
    pool.next(1.0)
"""


@pytest.mark.parametrize("start", WAYS)
def test_workers_notice_that_their_parent_was_killed_and_end(tmp_path, start):
    half_written = tmp_path / "half-written"
    here = [str(Path(__file__).parents[n]) for n in (0, 1)]
    code = PARENT.format(tests=here, start=start, file=half_written)
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 20
        while not half_written.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) >= 2
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        _, alive = psutil.wait_procs(family, timeout=5)
        assert alive == []
        assert not half_written.exists()
    finally:
        parent.kill()
        parent.wait()


def test_a_worker_uses_one_thread():
    pool = open_pool(workers=1)
    pool.submit(job(0, "env OMP_NUM_THREADS"))
    heard = events(pool, jobs=1)
    pool.close(cancel=False)
    assert [event.text for event in heard if event.kind == "progress"] == ["1"]


def test_serial_uses_one_thread_while_it_runs_and_puts_the_number_back():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        pool = open_pool("serial", work=work_on_threads)
        pool.submit(job(0, "a"))
        heard = events(pool, jobs=1)
        assert [event.text for event in heard if event.kind == "progress"] == ["1"]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_serial_pool_hands_its_news_over_while_the_job_runs():
    heard = []
    offer = {offer.name: offer for offer in harness_executors()}["serial"]
    pool = offer.open(offer.settings(), ExecutorRoom(work_by_key, 0, "cpu", hear=heard.append))
    pool.submit(job(0, "a"))
    assert [event.kind for event in heard] == ["started", "finished", "done"]
    assert pool.next(0.0) is None
