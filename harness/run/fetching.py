"""What cells need from elsewhere: told before anything starts, fetched if asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from harness.api.cells import Cell, EvaluateWork, MeasureWork, PartWork, SplitUse, TrainWork, Use
from harness.api.data import DataRoom
from harness.api.downloads import Download
from harness.api.errors import HarnessError
from harness.api.offers import Dataset, Model
from harness.plug.catalogue import Catalogue
from harness.plug.uses import offer_from


def downloads_of(cells: Iterable[Cell], catalogue: Catalogue, cache: Path) -> tuple[Download, ...]:
    """What these cells need from elsewhere, each once, whether it is here or not."""
    datasets: dict[str, Use] = {}
    models: dict[str, tuple[Use, set[int]]] = {}
    for cell in cells:
        for split in _splits(cell):
            datasets.setdefault(_content(split.dataset), split.dataset)
        work = cell.work
        _, seeds = models.setdefault(_content(work.model), (work.model, set()))
        if isinstance(work, TrainWork) and work.init == "brought":
            seeds.add(cell.seeds[0].pretrain)
    room = DataRoom(cache=cache, offline=False)
    found: dict[str, Download] = {}
    for use in datasets.values():
        offer, settings = offer_from(use, catalogue)
        if isinstance(offer, Dataset) and offer.downloads is not None:
            found |= {each.name: each for each in offer.downloads(settings, room)}
    for use, seeds in models.values():
        offer, settings = offer_from(use, catalogue)
        if isinstance(offer, Model) and offer.downloads is not None:
            found |= {each.name: each for each in offer.downloads(settings, sorted(seeds), room)}
    return tuple(found.values())


def must_be_here(downloads: Sequence[Download]) -> None:
    """Raise `HarnessError` with the list of what is missing."""
    missing = [each.name for each in downloads if not each.here()]
    if missing:
        message = f"not here, and no network may be used: {', '.join(missing)}"
        raise HarnessError(message, fix="`seedscape fetch` gets it where there is a network")


def _splits(cell: Cell) -> Iterator[SplitUse]:
    match cell.work:
        case TrainWork(train=train):
            yield train
        case EvaluateWork(train=train, split=split):
            yield from (train, split)
        case MeasureWork() | PartWork():
            whole = cell.work.whole if isinstance(cell.work, PartWork) else cell.work
            yield from (whole.train, *whole.splits)


def _content(use: Use) -> str:
    return repr((use.name, sorted(use.settings.items()), use.digest))
