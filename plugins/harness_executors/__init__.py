"""Built-in executors: where cells run."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Executor
from harness_executors.processes import Processes, open_processes
from harness_executors.serial import open_serial


@hookimpl
def harness_executors() -> Iterable[Executor]:
    """Serial and processes."""
    return (
        Executor(
            name="serial",
            about="one cell after another in this process, on one thread",
            open=open_serial,
            exact=True,
        ),
        Executor(
            name="processes",
            about="one single-threaded worker process per core, or one per GPU",
            settings=Processes,
            open=open_processes,
        ),
    )
