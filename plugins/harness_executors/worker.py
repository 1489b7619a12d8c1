"""The inside of a worker process: take jobs from the pool, tell what happens, die with the pool.

A thread waits on the connection. When it closes (the pool was closed, or its process was killed),
the main thread is interrupted, so that half-written files are removed, and after a moment of grace
the process ends whatever the main thread does.
"""

import contextlib
import faulthandler
import importlib
import os
import pickle
import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from types import FrameType

from harness.api.contexts import Event, Job
from harness_executors.jobs import run_job

GRACE = 2.0
"""Seconds that a cell has to unwind when the pool is gone."""

LOG_TAIL = 8000
"""Bytes of a log that go into a record."""


def attend(connection: Connection, number: int, preload: Sequence[str]) -> None:
    """Work until the pool says stop or goes away. Never returns: the process ends.

    Standard output and error are the pool's log file for this worker already.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pool's process to handle
    signal.signal(signal.SIGTERM, _unwind)
    faulthandler.enable()
    status = 1
    try:
        for module in preload:
            importlib.import_module(module)
        _serve(connection, number)
        status = 0
    except SystemExit:
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)  # a forked child must not run what its parent registered for its own end


def _serve(connection: Connection, number: int) -> None:
    work = pickle.loads(connection.recv_bytes())  # the function comes from our own parent process
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    inbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, inbox), daemon=True).start()

    def tell(event: Event) -> None:
        if event.kind == "failed":
            event = replace(event, log=(tail(1) + event.log)[-LOG_TAIL:])
        try:
            connection.send(replace(event, worker=number))
        except OSError:  # nobody listens any more
            raise SystemExit from None

    while (job := inbox.get()) is not None:
        os.ftruncate(1, 0)
        os.lseek(1, 0, os.SEEK_SET)
        run_job(work, job, tell)


def _listen(connection: Connection, inbox: "queue.SimpleQueue[Job | None]") -> None:
    try:
        while True:
            job = connection.recv()
            inbox.put(job)
            if job is None:
                return
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)


def _unwind(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit


def tail(descriptor: int) -> str:
    """The last bytes of an open log file."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - LOG_TAIL)
    return os.pread(descriptor, size - start, start).decode(errors="replace")
