"""Run a plan: survey, pool, schedule, and an account of what became of it."""

import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.api.cells import Plan, Use
from harness.api.contexts import Event, ExecutorRoom, Pool
from harness.api.errors import HarnessError
from harness.api.offers import Executor
from harness.api.settings import Settings
from harness.api.suites import Suite
from harness.plan.parts import without_idle
from harness.plug.catalogue import Catalogue
from harness.plug.uses import offer_from
from harness.run.board import Board
from harness.run.context import HEAVY, WorkContext
from harness.run.display import Display, Plain, Silent
from harness.run.fetching import must_be_here, wanted_by
from harness.run.fitting import must_fit
from harness.run.git import git_state
from harness.run.journal import Journal
from harness.run.options import RunOptions
from harness.run.outcome import Outcome
from harness.run.packs import Packing
from harness.run.schedule import Account, Desk, Schedule
from harness.run.tally import Tally
from harness.run.watching import Watching
from harness.store import paths
from harness.store.disk import plain_refusals
from harness.store.store import Store
from harness.store.survey import Survey


def execute(
    plan: Plan, suite: Suite, store: Store, catalogue: Catalogue, options: RunOptions
) -> Outcome:
    """Run what the store does not hold yet. Ctrl-C ends it early, keeping what is finished.

    Where there is nothing to do, no worker starts and torch is not imported.

    Raises:
        HarnessError: the store cannot be written, or the executor cannot start.
    """
    _check(options, catalogue)
    store.prepare()
    store.save_suite(plan, suite.text)
    return execute_cells(plan, store, catalogue, options)


def execute_cells(plan: Plan, store: Store, catalogue: Catalogue, options: RunOptions) -> Outcome:
    """As `execute`, for a part of a plan: which plan is saved as the suite's stays as it is.

    Raises:
        HarnessError: the store cannot be written, or the executor cannot start.
    """
    begun = time.monotonic()
    _check(options, catalogue)
    store.prepare()
    folder = paths.suite_folder(store.root, plan.suite_id, plan.version, smoke=plan.smoke)
    with plain_refusals(folder):
        folder.mkdir(parents=True, exist_ok=True)
    survey = store.survey(plan.cells)
    plan = without_idle(plan, survey.done)
    board = Board(plan.cells, survey.done)
    if board.open and options.offline:
        must_be_here(wanted_by(board.cells.values(), catalogue, paths.cache(store.root)))
    must_fit(board.cells.values(), catalogue, paths.cache(store.root))
    account, interrupted = Account(), bool(board.open)
    watching = Watching(plan, store, catalogue, options.watch)
    try:
        if board.open:
            with Journal(folder) as journal:
                journal.write("run", plan=plan.digest, cells=len(plan.cells), todo=board.open)
                for key, what in survey.damaged.items():
                    journal.write("damaged", key=key, reason=what)
                desk = Desk(store, watching, journal, _display(options))
                account, interrupted = _run(plan, board, desk, catalogue, options)
                journal.write(
                    "interrupted" if interrupted else "ended",
                    computed=account.computed,
                    failed=len(account.failed),
                    blocked=len(board.blocked),
                )
    finally:
        complaints = watching.close(interrupted=interrupted)
    return Outcome(
        planned=len(plan.cells),
        reused=len(survey.done),
        computed=account.computed,
        shared=account.shared,
        diverged=account.diverged,
        failed=account.failed,
        blocked=board.blocked,
        damaged=survey.damaged,
        missing=board.missing,
        interrupted=interrupted,
        seconds=time.monotonic() - begun,
        folder=folder,
        hints=(*account.warnings, *complaints, *_damage(survey)),
    )


def _run(
    plan: Plan, board: Board, desk: Desk, catalogue: Catalogue, options: RunOptions
) -> tuple[Account, bool]:
    offer, settings = _check(options, catalogue)
    commit, dirty = git_state(Path.cwd())
    root = desk.store.root.absolute()
    context = WorkContext(
        root=root,
        extra=catalogue.extra,
        without=catalogue.without,
        device=options.device,
        offline=options.offline,
        git_commit=commit,
        git_dirty=dirty,
        compiled=options.compiled,
    )
    news: list[Schedule] = []

    def hear(event: Event) -> None:
        news[0].hear(event)

    room = ExecutorRoom(context, options.workers, options.device, HEAVY, hear)
    pool = offer.open(settings, room)
    pack = 1 if options.compiled else options.pack
    packing = Packing(pack, not offer.exact, pool.workers, options.device, paths.cache(root))
    schedule = Schedule(board, packing, desk)
    news.append(schedule)
    desk.display.begin(Tally(len(plan.cells), board.cells.values(), pool.workers))
    try:
        interrupted = _until_done(schedule, pool)
    finally:
        desk.display.end()
    return schedule.account, interrupted


def _check(options: RunOptions, catalogue: Catalogue) -> tuple[Executor, Settings]:
    """The executor and its settings; raises for what would only be found out in a worker."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", options.device):
        raise HarnessError(
            f"unknown device {options.device!r}", fix="choose auto, cpu, cuda, cuda:N or mps"
        )
    if options.compiled and (options.pack or 1) > 1:
        raise HarnessError("compiled runs are trained one at a time", fix="leave out `--pack`")
    use = Use("executor", options.executor, options.executor, options.executor_settings, "")
    return offer_from(use, catalogue)


def _until_done(schedule: Schedule, pool: Pool) -> bool:
    """Run the schedule; whether it was interrupted. Workers are gone afterwards, come what may."""
    try:
        schedule.run(pool)
    except KeyboardInterrupt:
        with _second_one_kills():
            pool.close(cancel=True)
        return True
    except BaseException:
        pool.close(cancel=True)
        raise
    pool.close(cancel=False)
    return False


@contextmanager
def _second_one_kills() -> Iterator[None]:
    """While workers unwind, another Ctrl-C ends this process at once; they notice and end too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _display(options: RunOptions) -> Display:
    kind = options.display
    if kind == "auto":
        kind = "live" if sys.stdout.isatty() else "plain"
    if kind == "none":
        return Silent()
    if kind == "plain":
        return Plain(sys.stdout)
    from rich.console import Console  # noqa: PLC0415  # 50 ms that pipes and tests do not pay

    from harness.run.live import Live  # noqa: PLC0415  # the same

    return Live(Console())


def _damage(survey: Survey) -> Iterator[str]:
    for what in survey.damaged.values():
        yield f"damaged, so computed anew: {what}"
