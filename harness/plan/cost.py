"""What a plan costs: bytes on disk and time, as far as anybody can know beforehand."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from statistics import median

from harness.api.cells import Cell, EvaluateWork, Plan, Stage, TrainWork
from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness.api.numbers import count
from harness.api.results import CellRecord, Trained
from harness.plan.counts import grouped
from harness.plan.identity import identity_of
from harness.plan.sizing import Models, Size
from harness.plug import Catalogue
from harness.store import Store, Survey
from harness.store.paths import cache

SAMPLE = 20
"""Finished cells of one kind that are looked at for their time."""

SEARCHED = 500
"""Stored trainings that are searched for some of the same model and data."""

_ALIKE = ("model", "train", "batch", "precision")
"""Where two trainings agree in these, a step of either takes the same time."""

TIMED_HERE = "a few steps timed here"


@dataclass(frozen=True)
class Share:
    """The cells of one stage and procedure (and metric): bytes of all, seconds of those to do.

    Seconds are those of one worker. None stands for what nobody knows; `basis` says what the
    seconds rest on.
    """

    stage: Stage
    procedure: str
    metric: str
    cells: int
    to_do: int
    bytes: int | None
    seconds: float | None
    basis: str


@dataclass(frozen=True)
class Cost:
    """Sizes of the models by label, and the shares of the cost in the order of the plan."""

    models: tuple[tuple[str, Size], ...]
    shares: tuple[Share, ...]

    @property
    def bytes(self) -> int:
        """Bytes on disk of the whole plan, as far as known."""
        return sum(share.bytes or 0 for share in self.shares)

    @property
    def seconds(self) -> float:
        """Seconds of one worker for what is to do, as far as known."""
        return sum(share.seconds or 0.0 for share in self.shares)

    @property
    def unknown(self) -> int:
        """Cells to do whose time nobody knows."""
        return sum(share.to_do for share in self.shares if share.seconds is None)


def cost(plan: Plan, catalogue: Catalogue, store: Store, survey: Survey) -> Cost:
    """The cost of a plan, of which `survey` says what the store has already.

    Times come from finished cells where there are some, else from a few steps timed here on random
    inputs (texts of 64 tokens).
    """
    models = Models(catalogue, DataRoom(cache(store.root), offline=True))
    shares = []
    for (stage, procedure, metric), cells in grouped(plan).items():
        to_do = [cell for cell in cells if cell.key not in survey.done]
        finished = [cell.key for cell in cells if cell.key in survey.done][:SAMPLE]
        records = [store.read(key) for key in finished]
        seconds, basis = _time(to_do, records, models, store)
        sizes = [models.bytes_of(cell) for cell in cells]
        shares.append(
            Share(
                stage=stage,
                procedure=procedure,
                metric=metric,
                cells=len(cells),
                to_do=len(to_do),
                bytes=None if None in sizes else sum(size or 0 for size in sizes),
                seconds=seconds,
                basis=basis,
            )
        )
    sizes_of_models = {
        cell.work.model.label: models.size(cell.work.model, cell.work.train.dataset)
        for cell in plan.cells
        if isinstance(cell.work, TrainWork)
    }
    return Cost(tuple(sizes_of_models.items()), tuple(shares))


def _time(
    to_do: Sequence[Cell], finished: Sequence[CellRecord], models: Models, store: Store
) -> tuple[float | None, str]:
    if not to_do:
        return 0.0, "all done"
    if isinstance(to_do[0].work, TrainWork):
        steps = [cell.steps for cell in to_do if cell.steps is not None]
        if len(steps) < len(to_do):
            return None, "the number of steps is not known before the data are loaded"
        each, basis = _step(to_do[0].work, finished or _alike(to_do[0], store), models)
        return each * sum(steps), basis
    if finished:
        each = median(record.wall_seconds for record in finished)
        return each * len(to_do), count(len(finished), "finished cell")
    if isinstance(to_do[0].work, EvaluateWork):
        return _predicting(to_do, models)
    return None, "no cell of this metric is finished yet"


def _step(work: TrainWork, records: Sequence[CellRecord], models: Models) -> tuple[float, str]:
    """Seconds of one step, and how that is known."""
    paces = [
        record.wall_seconds / record.result.steps
        for record in records
        if isinstance(record.result, Trained) and record.result.steps
    ]
    if paces:
        return median(paces), count(len(paces), "finished training")
    return models.pace(work.model, work.train.dataset, work.batch)[0], TIMED_HERE


def _predicting(cells: Sequence[Cell], models: Models) -> tuple[float | None, str]:
    seconds = 0.0
    for cell in cells:
        if isinstance(cell.work, EvaluateWork):
            number = models.examples(cell.work.split, cell.limit)
            if number is None:
                return None, f"the size of split {cell.work.split.name} is not known"
            seconds += number * models.pace(cell.work.model, cell.work.train.dataset, 64)[1]
    return seconds, f"{TIMED_HERE}, without scores and files"


def _alike(cell: Cell, store: Store) -> list[CellRecord]:
    """Stored trainings, of whatever suite, whose steps cost the same."""
    wanted = identity_of(cell)
    found: list[CellRecord] = []
    stage = Stage.FINETUNE if cell.stage == Stage.BRANCH else cell.stage
    for key in islice(store.keys(stage), SEARCHED):
        with suppress(HarnessError):  # a damaged one tells nothing
            record = store.read(key)
            if all(record.identity.get(name) == wanted[name] for name in _ALIKE):
                found.append(record)
        if len(found) == SAMPLE:
            break
    return found
