"""Cells by the thousand: what they have in common is held, and written for hashing, once."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.api.cells import Cell, Limit, Seeds, Stage, Work
from harness.plan.identity import assemble, canonical, own_identity, shared_identity


@dataclass(frozen=True)
class Terms:
    """What holds for all cells of a plan."""

    precision: str
    limit: Limit | None


@dataclass(frozen=True)
class Mold:
    """One piece of work of one procedure; `written` is its part of the identity as text."""

    stage: Stage
    procedure: str
    work: Work
    terms: Terms
    steps: int | None
    written: Mapping[str, str]

    @classmethod
    def of(
        cls, stage: Stage, procedure: str, work: Work, terms: Terms, steps: int | None = None
    ) -> "Mold":
        """The mold of a piece of work."""
        shared = shared_identity(stage, work, terms.precision, terms.limit)
        written = {name: canonical(value) for name, value in shared.items()}
        return cls(stage, procedure, work, terms, steps, written)

    def cell(self, seeds: tuple[Seeds, ...], parents: tuple[str, ...] = ()) -> Cell:
        """The cell of these seeds and parents."""
        own = own_identity(self.work, seeds, parents)
        written = {name: canonical(value) for name, value in own.items()}
        return Cell(
            key=assemble({**self.written, **written}),
            stage=self.stage,
            procedure=self.procedure,
            seeds=seeds,
            parents=parents,
            work=self.work,
            precision=self.terms.precision,
            limit=self.terms.limit,
            steps=self.steps,
        )
