"""Which grids of metrics a report draws: of each procedure and kind of subject, the first one's."""

from collections.abc import Iterator

from harness.analyze.collect import Collected, run_text
from harness.api.cells import MeasureWork, Plan
from harness.api.findings import Picture
from harness.api.readings import Reading


def pictures(plan: Plan, collected: Collected) -> Iterator[Picture]:
    """The grids of the first finished subject of each procedure, metric and kind of pair.

    They are examples and no summary: grids of different subjects lie on different planes.
    """
    seen: set[tuple[str, str, str | None]] = set()
    for cell in plan.cells:
        work, record = cell.work, collected.records.get(cell.key)
        if not isinstance(work, MeasureWork) or record is None:
            continue
        kind = (cell.procedure, work.metric.label, work.pair_kind)
        reading = record.result
        if kind in seen or not isinstance(reading, Reading) or not reading.grids:
            continue
        seen.add(kind)
        for grid in reading.grids:
            yield Picture(
                procedure=cell.procedure,
                metric=work.metric.label,
                pair_kind=work.pair_kind,
                runs=tuple(run_text(seeds) for seeds in cell.seeds),
                grid=grid,
                protocol=reading.protocol,
            )
