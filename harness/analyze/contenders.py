"""The procedures of a comparison, and what became of each of their runs on each split."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.analyze.collect import run_text
from harness.api.cells import Cell, EvaluateWork, Plan, Seeds, Stage, TrainWork, Use
from harness.api.errors import HarnessError
from harness.api.numbers import fixed, some
from harness.api.results import CellRecord, Scored
from harness.api.suites import Suite
from harness.plug.catalogue import Catalogue
from harness.store.paths import suite_folder
from harness.store.survey import Survey


class Records(Protocol):
    """What is asked of a store: which cells are done, their records, and their files."""

    @property
    def root(self) -> Path:
        """Where it is."""

    def survey(self, cells: Iterable[Cell]) -> Survey:
        """The states of cells."""

    def read(self, key: str) -> CellRecord:
        """The record of a cell that is done."""

    def path(self, key: str, name: str) -> Path:
        """A file of a cell."""


@dataclass(frozen=True)
class Contender:
    """A procedure, the suite that it belongs to, and the store that holds its runs."""

    label: str
    procedure: str
    suite: Suite
    plan: Plan
    catalogue: Catalogue
    store: Records

    def runs(self) -> Iterator[Cell]:
        """The planned trainings of the procedure."""
        for cell in self.plan.cells:
            if cell.procedure == self.procedure and cell.stage in (Stage.FINETUNE, Stage.MERGE):
                yield cell

    def evaluations(self, split: str) -> Iterator[tuple[Cell, EvaluateWork]]:
        """The planned evaluations of its runs on a split."""
        for cell in self.plan.cells:
            if cell.procedure != self.procedure or not isinstance(cell.work, EvaluateWork):
                continue
            if cell.work.split.name == split:
                yield cell, cell.work

    def score(self, label: str) -> Use:
        """The use of a score of that label; its suite must have it."""
        return next(use for use in self.suite.scores if use.label == label)


@dataclass(frozen=True)
class Result:
    """What one run scored on one split: `value` is None where there is none, and `why` says why."""

    key: str
    value: float | None
    why: str = ""
    examples: int = 0
    unscorable: int = 0


@dataclass(frozen=True)
class Gathered:
    """A contender's results by split and seeds, and where each of its runs started.

    `starts` maps the seeds to the key of the pretraining, or the hash of the checkpoint; None for
    random weights.
    """

    contender: Contender
    results: Mapping[str, Mapping[Seeds, Result]]
    starts: Mapping[Seeds, str | None]
    diverged: frozenset[Seeds]
    devices: tuple[str, ...]

    @property
    def label(self) -> str:
        """The contender's label."""
        return self.contender.label

    def holes(self) -> dict[Seeds, str]:
        """Runs without a value on some split: where, and why."""
        found: dict[Seeds, str] = {}
        for split, results in self.results.items():
            for seeds, result in results.items():
                if result.value is None:
                    found.setdefault(seeds, f"on {split} ({result.why})")
        return found


def gather(contender: Contender, splits: Sequence[str], score: str) -> Gathered:
    """Read what the store holds of a contender on these splits.

    Raises:
        HarnessError: it holds nothing at all.
    """
    store = contender.store
    trainings = list(contender.runs())
    evaluations = {split: list(contender.evaluations(split)) for split in splits}
    cells = [cell for listed in evaluations.values() for cell, _ in listed]
    survey = store.survey([*trainings, *cells])
    by_key = {cell.key: cell for cell in trainings}
    diverged, devices = _trained(trainings, survey, store)
    results = {
        split: {
            cell.seeds[0]: _result(cell, by_key.get(cell.parents[0]), survey, store, score)
            for cell, _ in listed
        }
        for split, listed in evaluations.items()
    }
    found = Gathered(
        contender, results, {c.seeds[0]: _start(c) for c in trainings}, diverged, devices
    )
    if all(r.value is None for of_split in results.values() for r in of_split.values()):
        raise _nothing(found, score)
    return found


def _result(cell: Cell, run: Cell | None, survey: Survey, store: Records, score: str) -> Result:
    if cell.key not in survey.done:
        return Result(cell.key, None, _why_not(cell, run, survey))
    scored = store.read(cell.key).result
    if not isinstance(scored, Scored) or score not in scored.scores:
        why = scored.failed.get(score, "not scored") if isinstance(scored, Scored) else "not scored"
        return Result(cell.key, None, why)
    if not math.isfinite(scored.scores[score]):
        return Result(cell.key, None, f"it is {fixed(scored.scores[score], 0)}")
    return Result(
        cell.key, scored.scores[score], examples=scored.examples, unscorable=scored.unscorable
    )


def _why_not(cell: Cell, run: Cell | None, survey: Survey) -> str:
    for one in (cell, *([run] if run is not None else [])):
        state = survey.state(one.key)
        what = "the training " if one is run else ""
        if state == "failed":
            return f"{what}failed: {' '.join(survey.failed[one.key].reason.split())}"
        if state == "damaged":
            return f"{what}is damaged"
    return "has not run"


def _trained(
    trainings: Sequence[Cell], survey: Survey, store: Records
) -> tuple[frozenset[Seeds], tuple[str, ...]]:
    records: dict[Seeds, CellRecord] = {
        cell.seeds[0]: store.read(cell.key) for cell in trainings if cell.key in survey.done
    }
    diverged = frozenset(seeds for seeds, r in records.items() if r.outcome == "diverged")
    return diverged, tuple(sorted({record.machine.device for record in records.values()}))


def _start(cell: Cell) -> str | None:
    if cell.parents:
        return cell.parents[0]
    return cell.work.checkpoint_digest if isinstance(cell.work, TrainWork) else None


def _nothing(found: Gathered, score: str) -> HarnessError:
    contender = found.contender
    plan, root = contender.plan, contender.store.root
    reasons = list(dict.fromkeys(found.holes().values()))
    fix = "run it first: seedscape run SUITE; after an edit of scores: seedscape score SUITE"
    trial = suite_folder(root, plan.suite_id, plan.version, smoke=True)
    if not plan.smoke and trial.is_dir():
        fix += " (a trial run of it is there: --smoke)"
    return HarnessError(
        f"the store {root} holds no {score} of {contender.procedure}: {some(reasons, 2)}",
        where=f"{plan.suite_id} {plan.version}",
        fix=fix,
    )


def named(seeds: Sequence[Seeds], shown: int = 6) -> str:
    """Runs by their seeds, the first few: "0/1, 0/2 and 3 more"."""
    return some([run_text(each) for each in seeds], shown)
