"""Which grids of metrics a report draws: of each procedure and kind of subject, some of them."""

from collections.abc import Iterator

from harness.analyze.collect import Collected
from harness.analyze.lines import spread_over
from harness.analyze.measured import subject_text
from harness.api.cells import Cell, MeasureWork, Plan
from harness.api.pictures import Picture
from harness.api.readings import Reading

SHOWN = 3  # subjects of a procedure, metric and kind
MANY = 12  # subjects of a metric, beyond which each kind shows fewer


def pictures(plan: Plan, collected: Collected) -> Iterator[Picture]:
    """The grids of finished subjects, spread over the seeds; at least one of each kind.

    They are examples and no summary: grids of different subjects lie on different planes.
    """
    metrics: dict[str, dict[tuple[str, str | None], list[tuple[Cell, Reading]]]] = {}
    for cell in plan.cells:
        work, record = cell.work, collected.records.get(cell.key)
        if not isinstance(work, MeasureWork) or record is None:
            continue
        reading = record.result
        if isinstance(reading, Reading) and reading.grids:
            kinds = metrics.setdefault(work.metric.label, {})
            kinds.setdefault((cell.procedure, work.pair_kind), []).append((cell, reading))
    for metric, kinds in metrics.items():
        shown = min(SHOWN, max(1, MANY // len(kinds)))
        for (procedure, kind), subjects in kinds.items():
            for cell, reading in spread_over(subjects, shown):
                for grid in reading.grids:
                    yield Picture(
                        procedure=procedure,
                        metric=metric,
                        pair_kind=kind,
                        runs=tuple(subject_text(cell).split(" ")),
                        grid=grid,
                        protocol=reading.protocol,
                        of=cell.work.of if isinstance(cell.work, MeasureWork) else "",
                        subjects=len(subjects),
                    )
