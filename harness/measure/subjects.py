"""What a measure cell is about, as its metric sees it."""

from harness.api.cells import Cell, MeasureWork
from harness.api.contexts import Subject


def subject_of(cell: Cell, work: MeasureWork) -> Subject:
    """The runs of a cell, with what the plan says of them."""
    return Subject(
        of=work.of,
        keys=cell.parents,
        seeds=cell.seeds + cell.seeds[:1] * len(work.branches),  # a branch has its run's
        pair_kind=work.pair_kind,
        branches=(None, *work.branches) if work.branches else (),
        varied=work.varied,
    )
