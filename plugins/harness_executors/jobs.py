"""Run one job, and leave none of its cells without news, whatever the work function does."""

import traceback
from collections.abc import Callable

from harness.api.contexts import Event, Job

Tell = Callable[[Event], None]


def run_job(work: Callable[[Job, Tell], None], job: Job, tell: Tell) -> None:
    """Run the job and end it with exactly one "done".

    Cells that the work function said nothing final about are told as "failed": because it raised,
    or because it forgot them.
    """
    open_cells = {cell.key for cell in job.cells} if job.kind == "run" else set[str]()
    done: list[Event] = []

    def listen(event: Event) -> None:
        if event.kind == "done":
            done.append(event)
            return
        if event.kind in ("finished", "failed"):
            open_cells.discard(event.key)
        tell(event)

    reason, log = "the worker said nothing of this cell", ""
    try:
        work(job, listen)
    except Exception as error:
        reason, log = f"{type(error).__name__}: {error}", traceback.format_exc()
    for cell in job.cells:
        if cell.key in open_cells:
            tell(Event("failed", job.number, 0, cell.key, reason, log))
    tell(done[0] if done else Event("done", job.number, 0, text=reason if log else "", log=log))
