"""A finished training as the cell that it was, read from its record."""

from dataclasses import replace

from pydantic import BaseModel, Field

from harness.api.cells import Branch, Cell, Limit, MeasureWork, Seeds, Stage, TrainWork, Use
from harness.api.errors import HarnessError
from harness.api.results import CellRecord, Trained
from harness.api.settings import Json


class _Offer(BaseModel):
    name: str
    digest: str
    settings: dict[str, Json] = {}


class _Seeds(BaseModel):
    pretrain: int = 0
    finetune: int | None = None
    order: int | None = None
    nested: bool = False


class _Limit(BaseModel):
    examples: int | None = None
    steps: int | None = None


class _Branch(BaseModel):
    step: int
    copy_: int = Field(alias="copy")  # a model has a method of that name


class _Training(BaseModel):
    """What the identity of a training says; what has no part in it changes no number."""

    init: str
    method: _Offer
    augment: list[_Offer] = []
    batch: int
    seeds: _Seeds
    limit: _Limit | None = None
    branch: _Branch | None = None


def recorded_cell(record: CellRecord, work: MeasureWork) -> Cell:
    """The cell that left the record; `work` says how its network and its data are made."""
    if not isinstance(record.result, Trained) or "method" not in record.identity:
        raise HarnessError(f"{record.key} is no training that could be looked into")
    said = _Training.model_validate(record.identity)
    seeds, limit, branch = said.seeds, said.limit, said.branch
    return Cell(
        key=record.key,
        stage=Stage(record.stage),
        procedure="",
        seeds=(Seeds(seeds.pretrain, seeds.finetune, seeds.order, seeds.nested),),
        parents=tuple(record.parents),
        work=TrainWork(
            model=work.model,
            method=_use("method", said.method),
            train=work.train,
            augment=tuple(
                _with_hidden(_use("shift", each), record, f"augment.{place}")
                for place, each in enumerate(said.augment)
            ),
            batch=said.batch,
            init=said.init,
            checkpoint=record.start or None,
            branch=None if branch is None else Branch(branch.step, branch.copy_),
        ),
        precision=record.precision,
        limit=None if limit is None else Limit(limit.examples, limit.steps),
    )


def _use(noun: str, offer: _Offer) -> Use:
    return Use(noun, offer.name, offer.name, offer.settings, offer.digest)


def _with_hidden(use: Use, record: CellRecord, role: str) -> Use:
    """With all its settings: a shift may read a file, whose place is no part of the identity."""
    settings = record.settings.get(role)
    if not isinstance(settings, dict):
        return use
    return replace(use, settings={n: value for n, value in settings.items() if n != "name"})
