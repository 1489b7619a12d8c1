"""The inside of a worker: run a job's cells and store what they give. Imports torch."""

import shutil
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import monotonic

from harness.api.cells import Cell, EvaluateWork, MeasureWork, PartWork, TrainWork
from harness.api.contexts import Event, Job
from harness.api.errors import HarnessError
from harness.api.readings import Reading
from harness.api.results import CellRecord
from harness.compute.quitting import no_quitting
from harness.compute.weights import save_weights
from harness.evaluate.at_points import at_points
from harness.evaluate.predict import predict
from harness.evaluate.predictions import write_predictions
from harness.evaluate.scoring import rescore, score
from harness.measure.pack import measure_pack
from harness.plan import predictions_prefix
from harness.run.context import WorkContext
from harness.run.records import Started, check_code, record_of
from harness.store import paths
from harness.store.seal import Damaged
from harness.train.calibrate import calibrate
from harness.train.pack import Training, train_pack
from harness.train.replay import Replays

TELL_SECONDS = 0.25
"""Progress is told at most this often."""

Tell = Callable[[Event], None]


def work(context: WorkContext, job: Job, tell: Tell) -> None:
    """Run a job: every cell ends as "finished" or "failed", and one does not spoil another."""
    teller = _Teller(job, tell)
    if job.kind == "calibrate":
        answer = calibrate(job.cells, context.bench, job.workers)
        device = context.bench.device.type
        tell(Event("done", job.number, 0, text=device, answer=answer))
        return
    by_kind: dict[type, list[Cell]] = {}
    for cell in _of_this_code(job.cells, context, teller):
        by_kind.setdefault(type(cell.work), []).append(cell)
    _train(by_kind.get(TrainWork, []), context, teller)
    for cell in by_kind.get(EvaluateWork, []):
        _evaluate(cell, context, teller)
    _measure([*by_kind.get(PartWork, []), *by_kind.get(MeasureWork, [])], context, teller)


def _of_this_code(cells: Sequence[Cell], context: WorkContext, teller: "_Teller") -> Iterator[Cell]:
    for cell in cells:
        try:
            check_code(cell, context.catalogue)
        except HarnessError as error:
            teller.failed(cell, error)
        else:
            yield cell


class Unstorable(HarnessError):
    """The store refuses results: no space, no permission. Computing more would be in vain."""


class _Teller:
    """Says what becomes of a job's cells."""

    def __init__(self, job: Job, tell: Tell) -> None:
        self.calibration = dict(job.calibration)
        self._number = job.number
        self._tell = tell
        self._told = 0.0

    def started(self, cell: Cell) -> None:
        self._tell(Event("started", self._number, 0, cell.key))

    def finished(self, cell: Cell) -> None:
        self._tell(Event("finished", self._number, 0, cell.key))

    def failed(self, cell: Cell, error: BaseException) -> None:
        mendable = isinstance(error, HarnessError)
        reason = str(error) if mendable else f"{type(error).__name__}: {error}"
        log = "".join(traceback.format_exception(error))
        final = isinstance(error, Unstorable)
        self._tell(Event("failed", self._number, 0, cell.key, reason, log, final=final))

    def progress(self, line: str) -> None:
        now = monotonic()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            self._tell(Event("progress", self._number, 0, text=line))


def _train(cells: Sequence[Cell], context: WorkContext, teller: _Teller) -> None:
    if not cells:
        return
    for cell in cells:
        teller.started(cell)
    begun = Started.now(context)
    try:
        with no_quitting():
            trainings = train_pack(cells, context.bench, teller.progress)
    except Exception as error:
        if len(cells) == 1:
            _explain(cells[0], error, context, teller)
        else:  # one of them spoiled the pack: apart, the others go on
            for cell in cells:
                _train([cell], context, teller)
        return
    each = begun.seconds / len(cells)
    for cell, training in zip(cells, trainings, strict=True):
        try:
            _store_training(cell, training, context, (begun, each), teller.calibration)
        except Exception as error:
            teller.failed(cell, error)
        else:
            teller.finished(cell)


def _store_training(
    cell: Cell,
    training: Training,
    context: WorkContext,
    begun: tuple[Started, float],
    calibration: dict[str, float],
) -> None:
    trained = training.trained.model_copy(update={"calibration": calibration})
    files: dict[str, Callable[[Path], None]] = {
        paths.WEIGHTS: partial(save_weights, tensors=training.weights)
    }
    for step, weights in training.checkpoints.items():
        files[paths.checkpoint(step)] = partial(save_weights, tensors=weights)
    _keep(context, record_of(cell, trained, context, begun, training.outcome), files)


def _evaluate(cell: Cell, context: WorkContext, teller: _Teller) -> None:
    teller.started(cell)
    begun = Started.now(context)
    try:
        assert isinstance(cell.work, EvaluateWork)
        stored = _stored_predictions(cell, context)
        if stored is None:
            with no_quitting():
                predictions = predict(cell, context.bench)
                scored = score(predictions, cell.work.scores, context.catalogue, cell.work.split)
            write: Callable[[Path], None] = partial(write_predictions, predictions=predictions)
        else:
            sibling, path = stored
            scored = rescore(
                sibling, cell.work.scores, cell.work.split, context.store, context.catalogue
            )
            write = partial(shutil.copyfile, path)
        record = record_of(cell, scored, context, (begun, begun.seconds))
        _keep(context, record, {paths.PREDICTIONS: write})
    except Exception as error:
        _explain(cell, error, context, teller)
    else:
        teller.finished(cell)


def _stored_predictions(cell: Cell, context: WorkContext) -> tuple[str, Path] | None:
    """A finished cell with the same predictions and other scores, and its file of predictions."""
    for sibling in context.store.siblings(predictions_prefix(cell.key)):
        if sibling != cell.key:
            try:
                return sibling, context.store.path(sibling, paths.PREDICTIONS)
            except Damaged:
                continue
    return None


def _measure(cells: Sequence[Cell], context: WorkContext, teller: _Teller) -> None:
    if not cells:
        return
    begun = Started.now(context)
    teller.started(cells[0])
    left = list(cells)
    looking = partial(Replays, context.bench)
    scoring = partial(at_points, context.catalogue)
    try:
        for cell, reading in measure_pack(cells, context.bench, looking, scoring):
            left.remove(cell)
            try:
                if not isinstance(reading, Reading):
                    raise reading
                _keep(context, record_of(cell, reading, context, (begun, begun.seconds)), {})
            except Exception as error:
                _explain(cell, error, context, teller)
            else:
                teller.finished(cell)
            if left:
                teller.started(left[0])
            begun = Started.now(context)
    except Exception as error:
        for cell in left:
            _explain(cell, error, context, teller)


def _keep(
    context: WorkContext, record: CellRecord, files: dict[str, Callable[[Path], None]]
) -> None:
    try:
        context.store.write(record, files)
    except HarnessError as error:
        raise Unstorable(error.message, where=error.where, fix=error.fix) from error


def _explain(cell: Cell, error: Exception, context: WorkContext, teller: _Teller) -> None:
    """Tell a failure. A damaged parent is thrown away, so that the next run makes it anew."""
    if isinstance(error, Damaged):
        for parent in cell.parents:
            try:
                for name in context.store.read(parent).files:
                    context.store.path(parent, name)
            except Damaged:
                context.store.discard(parent)
        error = HarnessError(str(error), fix="run the suite again to compute it anew")
    teller.failed(cell, error)
