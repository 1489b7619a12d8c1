"""The process that imports once and forks workers: `python -c ... main(descriptor, modules)`.

It talks to the pool in packets over a socket pair. A request to start a worker carries two open
files: the worker's end of its connection and its log. Nothing has a name on disk, so nothing is
left behind however the processes end. When the pool's end closes, the nursery waits for its
workers to unwind, kills those that do not, and ends.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import NoReturn

from harness_executors.worker import GRACE, attend

PACKET = 1 << 16


def main(descriptor: int, preload: Sequence[str]) -> None:
    """Serve the pool until it goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pool = socket.socket(fileno=descriptor)
    for module in preload:
        with contextlib.suppress(Exception):  # a worker tries again, and its log says why it failed
            importlib.import_module(module)
    woken, waker = os.pipe()
    for end in (woken, waker):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)  # only so that select wakes up
    children: dict[int, int] = {}
    while True:
        ready = select.select([pool.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, PACKET)
            _reap(children, pool)
        if pool.fileno() in ready and not _answer(pool, (woken, waker), children, preload):
            _end(children)


def _answer(
    pool: socket.socket, pipe: tuple[int, int], children: dict[int, int], preload: Sequence[str]
) -> bool:
    """Handle one packet; False when the pool is gone."""
    try:
        packet, files, _, _ = socket.recv_fds(pool, PACKET, 2)
    except OSError:
        return False
    if not packet:
        return False
    request = json.loads(packet)
    if "count" in request:
        _send(pool, {"gpus": _count_gpus()})
        return True
    number = int(request["worker"])
    process = os.fork()
    if process == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (*pipe, pool.detach()):
            os.close(end)
        os.dup2(files[1], 1)
        os.dup2(files[1], 2)
        os.close(files[1])
        os.environ.update(request["environ"])
        attend(Connection(files[0]), number, preload)
    for file in files:
        os.close(file)
    children[process] = number
    return True


def _reap(children: dict[int, int], pool: socket.socket | None) -> None:
    while children:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if process == 0:
            return
        number = children.pop(process, None)
        if number is not None and pool is not None:
            _send(pool, {"worker": number, "status": os.waitstatus_to_exitcode(status)})


def _send(pool: socket.socket, packet: dict[str, int]) -> None:
    with contextlib.suppress(OSError):  # the pool is gone: the next read says so
        pool.send(json.dumps(packet).encode())


def _end(children: dict[int, int]) -> NoReturn:
    deadline = time.monotonic() + GRACE + 1
    while children and time.monotonic() < deadline:
        _reap(children, None)
        time.sleep(0.01)
    for process in children:
        os.kill(process, signal.SIGKILL)
    os._exit(0)  # taking torch apart in an orderly way would take half a second


def _count_gpus() -> int:
    """How many GPUs torch sees, asked in a child: a process that has woken CUDA must not fork."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        count = 0
        with contextlib.suppress(Exception):
            count = importlib.import_module("torch").cuda.device_count()
        os.write(writer, str(count).encode())
        os._exit(0)
    os.close(writer)
    answer = os.read(reader, PACKET)  # empty if the child died before it could say
    os.close(reader)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)
    return int(answer or b"0")
