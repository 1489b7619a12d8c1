"""Measurements that are split: cells of parts, and the cell that joins them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from harness.api.cells import Cell, MeasureWork, PartWork, Plan, Seeds, Stage, Use
from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.plan.mold import Mold, Terms
from harness.plug import Catalogue, offer_from

MOST = 100_000
"""More parts than this of one measurement are a slip, not a plan."""


@dataclass(frozen=True)
class Whole:
    """One piece of measuring work of one procedure, with the parts that it is split into."""

    mold: Mold
    parts: tuple[Mold, ...]

    @classmethod
    def of(cls, procedure: str, work: MeasureWork, terms: Terms) -> "Whole":
        """The molds of the work and of its parts."""
        parts = (
            Mold.of(Stage.PART, procedure, PartWork(work, number), terms)
            for number in range(work.parts)
        )
        return cls(Mold.of(Stage.MEASURE, procedure, work, terms), tuple(parts))

    def cells(self, seeds: tuple[Seeds, ...], parents: tuple[str, ...]) -> Iterator[Cell]:
        """The cells of the parts, then the one that they are joined in."""
        parts = [mold.cell(seeds, parents) for mold in self.parts]
        yield from parts
        yield self.mold.cell(seeds, (*parents, *(part.key for part in parts)))


def parts_of(use: Use, catalogue: Catalogue) -> int:
    """Into how many parts a metric's work is split; 0 where it is measured as a whole.

    Raises:
        HarnessError: the metric names no sensible number.
    """
    metric, settings = offer_from(use, catalogue)
    if not isinstance(metric, Metric) or metric.parts is None:
        return 0
    count = metric.parts.count(settings)
    if not isinstance(count, int) or not 1 <= count <= MOST:
        raise HarnessError(f"the metric {use.label!r} wants {count!r} parts: 1 to {MOST:,} can be")
    return count if count > 1 else 0


def without_idle(plan: Plan, done: Collection[str]) -> Plan:
    """The plan less the parts that are not done and need not be: what they belong to is."""
    needed: set[str] = set()
    for cell in plan.cells:
        if isinstance(cell.work, MeasureWork) and cell.work.parts and cell.key not in done:
            needed.update(cell.parents)
    cells = tuple(
        cell
        for cell in plan.cells
        if cell.stage != Stage.PART or cell.key in done or cell.key in needed
    )
    return plan if len(cells) == len(plan.cells) else replace(plan, cells=cells)
