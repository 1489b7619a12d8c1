"""Open the results of a suite: `load_results`."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from harness.analyze import frames, learning, measured
from harness.analyze.collect import Collected, collect
from harness.analyze.pictures import pictures
from harness.analyze.results import Results
from harness.api.cells import EvaluateWork, MeasureWork, Plan, Stage
from harness.api.readings import Reading
from harness.api.settings import Json
from harness.plan.parts import without_idle
from harness.store.paths import PREDICTIONS
from harness.store.store import Store

MOST_BYTES = 2**31
"""Predictions of so many bytes are read for the findings; of more, those of primary splits."""


def load_results(plan: Plan, store: Store) -> Results:
    """All that the store holds of the plan's cells, and what it does not hold as problems.

    Cells of other suites in the same store are not looked at. Takes about half a second for
    1,000 records.
    """
    if any(cell.stage == Stage.PART for cell in plan.cells):
        plan = without_idle(plan, store.survey(plan.cells).done)
    collected = collect(plan, store)
    records = collected.records.values()
    plugins = ((p.distribution, p.version) for r in records for p in r.plugins)
    packages = (item for r in records for item in r.machine.packages.items())
    return Results(
        suite=plan.suite_id,
        version=plan.version,
        title=plan.title,
        smoke=plan.smoke,
        scores=frames.frame(frames.score_rows(plan, collected), frames.SCORES),
        readings=frames.frame(measured.reading_rows(plan, collected), measured.READINGS),
        curves=frames.frame(measured.curve_rows(plan, collected), measured.CURVES),
        runs=frames.frame(frames.run_rows(plan, collected), frames.RUNS),
        cells=frames.frame(frames.cell_rows(plan, collected), frames.CELLS),
        problems=collected.problems,
        plugins=_versions(plugins),
        packages=_versions(packages),
        protocols=_protocols(plan, collected),
        pictures=tuple(pictures(plan, collected)),
        make_grids=partial(measured.grid_frame, plan, collected),
        losses=frames.frame(learning.loss_rows(plan, collected), learning.LOSSES),
        files=partial(_predictions, store, _readable(plan, collected)),
        store=store,
    )


def _predictions(store: Store, readable: frozenset[str], key: str) -> Path | None:
    return store.path(key, PREDICTIONS) if key in readable else None


def _readable(plan: Plan, collected: Collected) -> frozenset[str]:
    """Evaluations whose predictions are stored and not too many to read."""
    sizes: dict[str, int] = {}
    main: set[str] = set()
    for cell in plan.cells:
        record = collected.records.get(cell.key)
        if isinstance(cell.work, EvaluateWork) and record is not None:
            if (entry := record.files.get(PREDICTIONS)) is not None:
                sizes[cell.key] = entry.bytes
            if cell.work.split.name in (plan.primary.id, *plan.primary.ood):
                main.add(cell.key)
    few = sum(sizes.values()) <= MOST_BYTES
    return frozenset(key for key in sizes if few or key in main)


def _versions(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Distribution -> version, or versions where records of several are mixed."""
    found: dict[str, set[str]] = {}
    for name, version in pairs:
        found.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(found[name])) for name in sorted(found)}


def _protocols(plan: Plan, collected: Collected) -> Mapping[str, Mapping[str, Json]]:
    """By metric, the protocol entries that all its readings share."""
    shared: dict[str, dict[str, Json]] = {}
    for cell in plan.cells:
        record = collected.records.get(cell.key)
        if not isinstance(cell.work, MeasureWork) or record is None:
            continue
        if isinstance(record.result, Reading):
            protocol = record.result.protocol
            before = shared.get(cell.work.metric.label)
            shared[cell.work.metric.label] = (
                dict(protocol)
                if before is None
                else {key: value for key, value in before.items() if protocol.get(key) == value}
            )
    return shared
