"""Two ways to bring a worker process to life: forked by a nursery (Linux), or started afresh.

Both pass open files only, do not import the user's main script, and do not care whether the
calling process is a daemon or has threads.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO, Protocol

from harness.api.errors import HarnessError
from harness_executors.machine import ONE_THREAD
from harness_executors.worker import GRACE, tail

BOOT = (
    "import json, sys; descriptor, call, path, modules = json.loads(sys.argv[1]); "
    "sys.path[:] = path; import harness_executors.{0} as room; room.{1}"
)
IN_NURSERY = BOOT.format("nursery", "main(descriptor, modules)")
IN_WORKER = BOOT.format("worker", "attend(room.Connection(descriptor), call, modules)")
PATIENCE = 120.0
"""Seconds that importing torch may take on a slow disk."""


@dataclass(frozen=True)
class Hatched:
    """A started worker as the pool sees it: its connection, and its log (a file without name)."""

    connection: Connection
    log: IO[bytes]


class Starter(Protocol):
    """Starts workers and knows how they ended."""

    def start(self, number: int, environ: Mapping[str, str]) -> Hatched:
        """A new worker with these additions to its environment."""

    def status(self, number: int, timeout: float) -> int | None:
        """Exit status of a worker (negative: killed by that signal), or None if unknown."""

    def gpus(self) -> int:
        """How many GPUs torch sees."""

    def log(self) -> str:
        """What was said outside any worker, say why none could start."""

    def close(self) -> None:
        """Wait for all processes to end; call after closing the workers' connections."""


class Nursery:
    """The pool's end of a nursery process; started when the first worker is."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = tuple(preload)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the nursery
        self._statuses: dict[int, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def start(self, number: int, environ: Mapping[str, str]) -> Hatched:
        """Ask the nursery for a worker; a nursery that has died is replaced first."""
        line = self._open()
        self._statuses.pop(number, None)
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the worker
        request = json.dumps({"worker": number, "environ": dict(environ)}).encode()
        with theirs:
            socket.send_fds(line, [request], [theirs.fileno(), log.fileno()])
        return Hatched(Connection(ours.detach()), log)

    def status(self, number: int, timeout: float) -> int | None:
        """As the nursery reports it."""
        while number not in self._statuses and self._socket is not None:
            if not self._hear(timeout):
                break
        return self._statuses.get(number)

    def gpus(self) -> int:
        """Asked in a child of the nursery."""
        line = self._open()
        line.send(json.dumps({"count": True}).encode())
        while (packet := self._hear(PATIENCE)) is not None:
            if "gpus" in packet:
                return packet["gpus"]
        raise HarnessError("worker processes cannot start", fix=self.log()[-300:])

    def log(self) -> str:
        """The nursery's own words."""
        return tail(self._log.fileno())

    def close(self) -> None:
        """Hang up, which ends the nursery, and collect it."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            _collect(self._process, GRACE + 2)
        self._log.close()

    def _open(self) -> socket.socket:
        if self._socket is not None and self._process is not None:
            if self._process.poll() is None:
                return self._socket
            self._socket.close()
        if self._process is not None:
            _collect(self._process, GRACE)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = _python(IN_NURSERY, theirs.fileno(), (0, self._preload), self._log)
        return self._socket

    def _hear(self, timeout: float) -> dict[str, int] | None:
        if self._socket is None or not wait([self._socket], timeout):
            return None
        packet = self._socket.recv(1 << 16)
        if not packet:
            self._socket.close()
            self._socket = None
            return None
        news: dict[str, int] = json.loads(packet)
        if "status" in news:
            self._statuses[news["worker"]] = news["status"]
        return news


class Spawner:
    """A new interpreter per worker: slower to start, for systems where forking is not safe."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = tuple(preload)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, number: int, environ: Mapping[str, str]) -> Hatched:
        """Start an interpreter that attends to the connection."""
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the worker
        with theirs:
            self._processes[number] = _python(
                IN_WORKER, theirs.fileno(), (number, self._preload), log, environ
            )
        return Hatched(Connection(ours.detach()), log)

    def status(self, number: int, timeout: float) -> int | None:
        """As the system reports it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._processes[number].wait(timeout)
        return None

    def gpus(self) -> int:
        """None: where there are CUDA devices, the nursery is used."""
        return 0

    def log(self) -> str:
        """Nothing: every worker has a log of its own."""
        return ""

    def close(self) -> None:
        """Collect every process."""
        for process in self._processes.values():
            _collect(process, GRACE + 1)


def _python(
    code: str,
    descriptor: int,
    call: tuple[int, tuple[str, ...]],
    log: IO[bytes],
    environ: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    path = [str(Path(entry).absolute()) for entry in sys.path]
    arguments = json.dumps([descriptor, call[0], path, call[1]])
    return subprocess.Popen(
        [sys.executable, "-u", "-c", code, arguments],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**os.environ, **ONE_THREAD, **(environ or {})},
    )


def _collect(process: subprocess.Popen[bytes], patience: float) -> None:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
