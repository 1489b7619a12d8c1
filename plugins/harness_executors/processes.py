"""A pool of worker processes on this machine."""

import contextlib
import os
import pickle
import sys
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Literal

from harness.api.contexts import Event, ExecutorRoom, Job, Pool
from harness.api.errors import HarnessError
from harness.api.settings import Settings, setting
from harness_executors.machine import cores, gpu_environment, may_have_gpus, require
from harness_executors.starters import Hatched, Nursery, Spawner, Starter
from harness_executors.worker import GRACE, tail


class Processes(Settings):
    """How workers come to life."""

    start: Literal["auto", "fork", "spawn"] = setting(
        "auto",
        "fork: workers are forked by a process that has imported torch once (Linux); "
        "spawn: every worker is a new interpreter; auto: fork where it is safe",
    )


@dataclass
class _Worker:
    number: int
    hatched: Hatched
    job: Job | None = None
    current: str = ""


class ProcessPool:
    """Workers start when there is a job for them; one that dies is replaced at the next job."""

    def __init__(self, starter: Starter, room: ExecutorRoom, workers: int, gpus: int) -> None:
        self.workers = workers
        self._starter = starter
        self._work = pickle.dumps(room.work)
        self._gpus = gpus
        self._free_numbers = deque(range(workers))
        self._crew: list[_Worker] = []
        self._queue: deque[Job] = deque()
        self._events: deque[Event] = deque()

    def submit(self, job: Job) -> None:
        """Queue a job; a free worker gets it at once."""
        self._queue.append(job)
        self._feed()

    def next(self, timeout: float) -> Event | None:
        """The next event of any worker, or None after `timeout` seconds without one."""
        deadline = time.monotonic() + timeout
        while not self._events:
            left = max(0.0, deadline - time.monotonic())
            if not self._crew:
                time.sleep(left)
                return None
            ready = wait([worker.hatched.connection for worker in self._crew], left)
            if not ready:
                return None
            for worker in list(self._crew):
                if worker.hatched.connection in ready:
                    self._hear(worker)
        return self._events.popleft()

    def close(self, *, cancel: bool) -> None:
        """End the workers and see them gone."""
        heard: list[Event] = []
        while not cancel and (self._queue or any(worker.job for worker in self._crew)):
            if (event := self.next(GRACE)) is not None:
                heard.append(event)
        for worker in self._crew:
            worker.hatched.connection.close()
            worker.hatched.log.close()
        self._crew.clear()
        self._starter.close()
        self._events.extend(heard)

    def _feed(self) -> None:
        while self._queue:
            worker = next((worker for worker in self._crew if worker.job is None), None)
            if worker is None:
                if not self._free_numbers:
                    return
                worker = self._hatch(self._free_numbers.popleft())
            worker.job = self._queue.popleft()
            try:
                worker.hatched.connection.send(worker.job)
            except OSError:
                self._bury(worker)

    def _hatch(self, number: int) -> _Worker:
        environ = gpu_environment(number, self._gpus) if self._gpus else {}
        worker = _Worker(number, self._starter.start(number, environ))
        self._crew.append(worker)
        with contextlib.suppress(OSError):  # it died already: its job will be told as lost
            worker.hatched.connection.send_bytes(self._work)
        return worker

    def _hear(self, worker: _Worker) -> None:
        try:
            event: Event = worker.hatched.connection.recv()
        except (EOFError, OSError):
            self._bury(worker)
            self._feed()
            return
        if event.kind == "started":
            worker.current = event.key
        elif event.kind in ("finished", "failed") and event.key == worker.current:
            worker.current = ""
        elif event.kind == "done":
            worker.job, worker.current = None, ""
        self._events.append(event)
        if event.kind == "done":
            self._feed()

    def _bury(self, worker: _Worker) -> None:
        """Forget a dead worker; its job is told as lost."""
        status = self._starter.status(worker.number, GRACE)
        if worker.job is not None:
            log = tail(worker.hatched.log.fileno()) or self._starter.log()
            self._events.append(
                Event("lost", worker.job.number, worker.number, worker.current, _how(status), log)
            )
        worker.hatched.connection.close()
        worker.hatched.log.close()
        self._crew.remove(worker)
        self._free_numbers.appendleft(worker.number)


def _how(status: int | None) -> str:
    if status is None:
        return "the worker process vanished"
    if status == -9:
        return "the worker process was killed (signal 9: perhaps it ran out of memory)"
    if status < 0:
        return f"the worker process was killed by signal {-status}"
    return f"the worker process ended with status {status}"


def open_processes(settings: Processes, room: ExecutorRoom) -> Pool:
    """A pool of `room.workers` processes, or as many as fit the device."""
    if os.name != "posix":
        raise HarnessError(
            "the executor 'processes' needs Linux or macOS", fix="use `--executor serial`"
        )
    fork = settings.start == "fork" or (settings.start == "auto" and sys.platform == "linux")
    starter: Starter = Nursery(room.preload) if fork else Spawner(room.preload)
    cuda = room.device.startswith("cuda")
    gpus = starter.gpus() if cuda or (room.device == "auto" and may_have_gpus()) else 0
    try:
        require(room.device, gpus)
    except HarnessError:
        starter.close()
        raise
    if room.device == "mps" or ":" in room.device:  # this one device, and no other
        return ProcessPool(starter, room, room.workers or 1, 0)
    return ProcessPool(starter, room, room.workers or gpus or cores(), gpus)
