"""Evaluate cells whose predictions are stored already, under other scores."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.api.cells import Cell, Plan, Stage
from harness.api.contexts import Event, Job
from harness.plan import predictions_prefix
from harness.plug.catalogue import Catalogue
from harness.run.context import WorkContext
from harness.run.git import git_state
from harness.store import paths
from harness.store.seal import Damaged
from harness.store.store import Store


@dataclass(frozen=True)
class Rescored:
    """What became of a plan's evaluate cells: `missing` ones have no intact predictions stored."""

    planned: int
    reused: int
    scored: int
    missing: int
    failed: Mapping[str, str]


def rescore_plan(plan: Plan, store: Store, catalogue: Catalogue) -> Rescored:
    """Score what can be scored from stored predictions, in this process."""
    cells = [cell for cell in plan.cells if cell.stage == Stage.EVALUATE]
    done = store.survey(cells).done
    todo = [cell for cell in cells if cell.key not in done]
    ready = [cell for cell in todo if _has_predictions(cell, store)]
    failed: dict[str, str] = {}
    if ready:
        store.prepare()
        failed = _score(ready, store, catalogue)
    return Rescored(
        planned=len(cells),
        reused=len(done),
        scored=len(ready) - len(failed),
        missing=len(todo) - len(ready),
        failed=failed,
    )


def _has_predictions(cell: Cell, store: Store) -> bool:
    for sibling in store.siblings(predictions_prefix(cell.key)):
        with suppress(Damaged):
            store.path(sibling, paths.PREDICTIONS)
            return True
    return False


def _score(cells: list[Cell], store: Store, catalogue: Catalogue) -> dict[str, str]:
    from harness.run.work import work  # noqa: PLC0415  # imports torch

    commit, dirty = git_state(Path.cwd())
    context = WorkContext(
        root=store.root.absolute(),
        extra=catalogue.extra,
        without=catalogue.without,
        device="cpu",
        offline=False,
        git_commit=commit,
        git_dirty=dirty,
    )
    failed: dict[str, str] = {}

    def hear(event: Event) -> None:
        if event.kind == "failed":
            failed[event.key] = event.text

    work(context, Job(0, tuple(cells)), hear)
    return failed
