"""From what a worker has computed to the record that is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Literal

from harness.api.cells import Cell, EvaluateWork, MeasureWork, PartWork, SplitUse, TrainWork, Use
from harness.api.errors import HarnessError
from harness.api.readings import Reading
from harness.api.results import CellRecord, Plugin, Scored, Trained
from harness.api.settings import Json, resolved
from harness.plan import identity_of
from harness.plug.catalogue import Catalogue
from harness.plug.uses import fingerprint_of, offer_from
from harness.run.context import WorkContext
from harness.run.machine import peak_bytes, reset_peak


@dataclass(frozen=True)
class Started:
    """When a piece of work began."""

    when: datetime
    counter: float

    @classmethod
    def now(cls, context: WorkContext) -> "Started":
        """Start the clock, and the count of peak memory."""
        reset_peak(context.bench.device)
        return cls(datetime.now(UTC), perf_counter())

    @property
    def seconds(self) -> float:
        """Wall time since."""
        return perf_counter() - self.counter


def record_of(
    cell: Cell,
    result: Trained | Scored | Reading,
    context: WorkContext,
    begun: tuple[Started, float],
    outcome: Literal["ok", "diverged"] = "ok",
) -> CellRecord:
    """The record of a cell; `begun` says when it began and how many seconds were the cell's own."""
    uses = list(_uses(cell))
    return CellRecord(
        key=cell.key,
        stage=cell.stage,
        identity=identity_of(cell),
        parents=list(cell.parents),
        outcome=outcome,
        result=result,
        settings={role: _resolved(use, context.catalogue) for role, use in uses},
        plugins=_plugins([use for _, use in uses], context.catalogue),
        machine=context.machine,
        precision=cell.precision,
        smoke=cell.limit is not None,
        started=begun[0].when,
        wall_seconds=begun[1],
        peak_bytes=peak_bytes(context.bench.device),
        start=_start(cell),
    )


def check_code(cell: Cell, catalogue: Catalogue) -> None:
    """Refuse a cell whose offers are not, in this process, what its key stands for.

    Raises:
        HarnessError: a plugin's file, or one that a model is made of, was edited after the plan
            was made.
    """
    for _, use in _uses(cell):
        asked = use.fingerprint and isinstance(cell.work, TrainWork)
        if asked and fingerprint_of(*offer_from(use, catalogue)) != use.fingerprint:
            raise HarnessError(
                f"the files of {use.noun} {use.name!r} were changed after the run had started",
                fix="run the suite again",
            )
        if catalogue.find(use.noun, use.name).digest != use.digest:
            raise HarnessError(
                f"the code of {use.noun} {use.name!r} was changed after the run had started",
                fix="run the suite again",
            )


def _start(cell: Cell) -> str:
    work = cell.work
    if isinstance(work, TrainWork) and work.init == "brought":
        return work.checkpoint or ""
    return ""


def _resolved(use: Use, catalogue: Catalogue) -> Json:
    """Name and settings, with every default as it was."""
    _, settings = offer_from(use, catalogue)
    return {"name": use.name, **resolved(settings)}


def _plugins(uses: list[Use], catalogue: Catalogue) -> list[Plugin]:
    """By distribution, the offers that took part, with the hashes of their sources."""
    versions: dict[str, str] = {}
    offers: dict[str, dict[str, str]] = {}
    for use in uses:
        provided = catalogue.find(use.noun, use.name)
        versions[provided.distribution] = provided.version
        offers.setdefault(provided.distribution, {})[f"{use.noun}:{use.name}"] = use.digest
    return [
        Plugin(distribution=name, version=versions[name], offers=offers[name])
        for name in sorted(offers)
    ]


def _uses(cell: Cell) -> Iterator[tuple[str, Use]]:
    """Every offer that takes part, with its role."""
    match cell.work:
        case TrainWork() as work:
            yield "model", work.model
            yield "method", work.method
            yield from _split("train", work.train)
            for place, use in enumerate(work.augment):
                yield f"augment.{place}", use
        case EvaluateWork() as work:
            yield "model", work.model
            yield from _split("split", work.split)
            for use in work.scores:
                yield f"score.{use.label}", use
        case PartWork(whole=work) | (MeasureWork() as work):
            yield "metric", work.metric
            yield "model", work.model
            yield from _split("train", work.train)
            for split in work.splits:
                yield from _split(f"split.{split.name}", split)


def _split(role: str, split: SplitUse) -> Iterator[tuple[str, Use]]:
    yield f"{role}.dataset", split.dataset
    for place, use in enumerate(split.by):
        yield f"{role}.by.{place}", use
