"""One cell after another in the calling process: the way to debug, and bit-equal on a CPU."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from harness.api.contexts import Event, ExecutorRoom, Job, Pool
from harness.api.settings import NoSettings
from harness_executors.jobs import run_job
from harness_executors.machine import require


class SerialPool:
    """Runs a job where it is submitted. Ctrl-C stops it in the middle of a cell."""

    workers = 1

    def __init__(self, room: ExecutorRoom) -> None:
        self._room = room
        self._events: deque[Event] = deque()

    def submit(self, job: Job) -> None:
        """Run the job; events go to the room's `hear` while it runs, else to `next`."""
        with one_thread():
            run_job(self._room.work, job, self._room.hear or self._events.append)

    def next(self, timeout: float) -> Event | None:
        """The oldest event that was not heard; never waits, as nothing runs meanwhile."""
        return self._events.popleft() if self._events else None

    def close(self, *, cancel: bool) -> None:
        """Nothing is left to end."""


@contextmanager
def one_thread() -> Iterator[None]:
    """One intra-op thread, as in a worker process: sums then add up in one order everywhere."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def open_serial(settings: NoSettings, room: ExecutorRoom) -> Pool:
    """A pool of one: this process."""
    gpus = 0
    if room.device.startswith("cuda"):
        import torch

        gpus = torch.cuda.device_count()
    require(room.device, gpus)
    return SerialPool(room)
